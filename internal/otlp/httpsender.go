package otlp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

const (
	contentTypeProto = "application/x-protobuf"
	contentTypeJSON  = "application/json"
)

// maxReplyBytes bounds what is read of a collector's answer.
const maxReplyBytes = 64 << 10

// httpSender posts payloads with OTLP/HTTP, as protobuf or as JSON.
type httpSender struct {
	client   *http.Client
	endpoint string
	header   http.Header
	host     string // from a configured Host header
	json     bool
	gzip     *gzip.Writer // nil without compression
}

var _ sender = (*httpSender)(nil)

func newHTTPSender(cfg Config) *httpSender {
	s := &httpSender{endpoint: cfg.Endpoint, header: make(http.Header), json: cfg.Protocol == ProtocolHTTPJSON}
	s.header.Set("User-Agent", cfg.UserAgent)
	for name, value := range cfg.Headers {
		if strings.EqualFold(name, "Host") {
			s.host = value
			continue
		}
		s.header.Set(name, value)
	}
	// The body is this package's, so what describes it is too.
	s.header.Set("Content-Type", contentTypeProto)
	if s.json {
		s.header.Set("Content-Type", contentTypeJSON)
	}
	s.header.Del("Content-Encoding")
	if cfg.Gzip {
		s.header.Set("Content-Encoding", "gzip")
		s.gzip = gzip.NewWriter(io.Discard)
	}
	transport := &http.Transport{
		// A proxy from the environment may well be this very process.
		Proxy:               nil,
		DisableCompression:  true,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        2,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: cfg.Timeout,
		// Without pings a connection that died silently fails every try until
		// the kernel gives it up.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: cfg.Timeout},
	}
	if cfg.TLS != nil {
		transport.TLSClientConfig = cfg.TLS.Clone()
	}
	s.client = &http.Client{
		Transport: transport,
		// Headers with credentials go to the configured host and nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s
}

// send implements sender.
func (s *httpSender) send(ctx context.Context, payload []byte) reply {
	body, err := s.encode(payload)
	if err != nil {
		return reply{verdict: verdictInvalid, cause: "encoding failed", detail: err.Error()}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, bytes.NewReader(body))
	if err != nil {
		return reply{verdict: verdictRefused, cause: "request not possible", detail: withoutURL(err).Error()}
	}
	request.Header = s.header.Clone()
	request.Host = s.host
	response, err := s.client.Do(request)
	if err != nil {
		return unreachable(err)
	}
	defer response.Body.Close()
	// A body that breaks off does not undo a status.
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxReplyBytes))
	return s.judge(response, answer)
}

// close implements sender.
func (s *httpSender) close() error {
	s.client.CloseIdleConnections()
	return nil
}

// encode returns the request's body. It is new each time: the transport may
// still read the last one after the reply.
func (s *httpSender) encode(payload []byte) ([]byte, error) {
	if s.json {
		request := plogotlp.NewExportRequest()
		if err := request.UnmarshalProto(payload); err != nil {
			return nil, fmt.Errorf("decode batch: %w", err)
		}
		text, err := request.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("encode json: %w", err)
		}
		payload = text
	}
	if s.gzip == nil {
		return payload, nil
	}
	var compressed bytes.Buffer
	s.gzip.Reset(&compressed)
	if _, err := s.gzip.Write(payload); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := s.gzip.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return compressed.Bytes(), nil
}

func withoutURL(err error) error {
	if failed, ok := err.(*url.Error); ok { //nolint:errorlint // Only what url.Parse returned.
		return failed.Err
	}
	return err
}
