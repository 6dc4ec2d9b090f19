package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // So that the server takes it.
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

var protocols = []Protocol{ProtocolHTTPBinary, ProtocolHTTPJSON, ProtocolGRPC}

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// received is one export request as the collector saw it.
type received struct {
	request     *collogpb.ExportLogsServiceRequest
	header      http.Header // or the gRPC metadata
	path        string
	compression string
	size        int // of the protobuf or JSON, uncompressed
}

func (r received) records() []*logspb.LogRecord {
	var records []*logspb.LogRecord
	for _, resourceLogs := range r.request.GetResourceLogs() {
		for _, scopeLogs := range resourceLogs.GetScopeLogs() {
			records = append(records, scopeLogs.GetLogRecords()...)
		}
	}
	return records
}

// answer is what a collector says to a request. The zero answer takes it.
type answer struct {
	code     int // HTTP status
	header   http.Header
	body     string // HTTP body, as it is
	status   *status.Status
	rejected int64 // partial success
	message  string
	hang     bool // until the client gives up
	endless  bool // HTTP: a body without end
}

// collector is an OTLP receiver on a real socket.
type collector struct {
	protocol Protocol
	url      string
	roots    *x509.CertPool
	// judge makes the answer to a request; nil takes all. It is called by one
	// goroutine at a time and sees refused requests too.
	judge func(received) answer

	mu   sync.Mutex
	seen []received // every request
	took []received // those answered with success
	news chan struct{}
}

// startCollector listens on address, or on a free port when it is empty.
func startCollector(t *testing.T, protocol Protocol, secure bool, address string, judge func(received) answer) *collector {
	t.Helper()
	c := &collector{protocol: protocol, judge: judge, news: make(chan struct{}, 1)}
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatalf("Listen() = %v", err)
	}
	// httptest brings a certificate of its own authority.
	server := httptest.NewUnstartedServer(http.HandlerFunc(c.serveHTTP))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Listener.Close()
	server.Listener = listener
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	if protocol != ProtocolGRPC {
		if secure {
			server.StartTLS()
			c.roots = x509.NewCertPool()
			c.roots.AddCert(server.Certificate())
		} else {
			server.Start()
		}
		t.Cleanup(server.Close)
		c.url = scheme + listener.Addr().String() + "/v1/logs"
		return c
	}
	var options []grpc.ServerOption
	if secure {
		helper := httptest.NewTLSServer(http.NotFoundHandler())
		defer helper.Close()
		c.roots = x509.NewCertPool()
		c.roots.AddCert(helper.Certificate())
		options = append(options, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: helper.TLS.Certificates})))
	}
	options = append(options, grpc.StatsHandler(compressionSeen{}), grpc.MaxRecvMsgSize(64<<20))
	g := grpc.NewServer(options...)
	collogpb.RegisterLogsServiceServer(g, &grpcService{collector: c})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = g.Serve(listener)
	}()
	t.Cleanup(func() {
		g.Stop()
		<-done
	})
	c.url = scheme + listener.Addr().String()
	return c
}

// config returns the Config of an exporter to c.
func (c *collector) config() Config {
	cfg := Config{Protocol: c.protocol, Endpoint: c.url}
	if c.roots != nil {
		cfg.TLS = &tls.Config{RootCAs: c.roots, MinVersion: tls.VersionTLS12}
	}
	return cfg
}

func (c *collector) take(r received) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, r)
	var a answer
	if c.judge != nil {
		a = c.judge(r)
	}
	if !a.hang && (a.code == 0 || a.code == http.StatusOK) && a.status == nil {
		c.took = append(c.took, r)
	}
	select {
	case c.news <- struct{}{}:
	default:
	}
	return a
}

// requests returns every request so far and those that were answered with
// success.
func (c *collector) requests() (seen, took []received) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.seen), slices.Clone(c.took)
}

// await waits until n records were taken, and returns them.
func (c *collector) await(t *testing.T, n int) []*logspb.LogRecord {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		_, took := c.requests()
		var records []*logspb.LogRecord
		for _, r := range took {
			records = append(records, r.records()...)
		}
		if len(records) >= n {
			return records
		}
		select {
		case <-c.news:
		case <-ctx.Done():
			t.Fatalf("collector took %d records; want %d", len(records), n)
		}
	}
}

func (c *collector) serveHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.Header.Get("Content-Encoding") == "gzip" {
		reader, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
			return
		}
		if body, err = io.ReadAll(reader); err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
			return
		}
	}
	request := new(collogpb.ExportLogsServiceRequest)
	if r.Header.Get("Content-Type") == contentTypeJSON {
		decoded := plogotlp.NewExportRequest()
		if err := decoded.UnmarshalJSON(body); err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
			return
		}
		encoded, _ := decoded.MarshalProto()
		err = proto.Unmarshal(encoded, request)
	} else {
		err = proto.Unmarshal(body, request)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	a := c.take(received{
		request: request, header: r.Header, path: r.URL.RequestURI(),
		compression: r.Header.Get("Content-Encoding"), size: len(body),
	})
	if a.hang {
		<-r.Context().Done()
		return
	}
	maps.Copy(w.Header(), a.header)
	if a.code == 0 {
		a.code = http.StatusOK
	}
	if a.body != "" {
		w.WriteHeader(a.code)
		_, _ = io.WriteString(w, a.body)
		return
	}
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	w.WriteHeader(a.code)
	for a.endless {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
	_, _ = w.Write(c.httpBody(r.Header.Get("Content-Type"), a))
}

// httpBody is an ExportLogsServiceResponse for a success, a Status otherwise.
func (c *collector) httpBody(contentType string, a answer) []byte {
	var encoded []byte
	switch {
	case a.code == http.StatusOK:
		response := plogotlp.NewExportResponse()
		response.PartialSuccess().SetRejectedLogRecords(a.rejected)
		response.PartialSuccess().SetErrorMessage(a.message)
		if contentType == contentTypeJSON {
			encoded, _ = response.MarshalJSON()
		} else {
			encoded, _ = response.MarshalProto()
		}
	case contentType == contentTypeJSON:
		encoded, _ = json.Marshal(map[string]any{"code": 3, "message": a.message})
	default:
		encoded, _ = proto.Marshal(status.New(codes.InvalidArgument, a.message).Proto())
	}
	return encoded
}
