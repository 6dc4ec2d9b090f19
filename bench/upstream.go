package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Delivery is what the upstream knows of one complete stream: the digests of the request that it received and of the
// response that it sent.
type Delivery struct {
	Request  string `json:"request"`
	Response string `json:"response"`
}

// Ledger is the upstream's account since the last time it was asked.
type Ledger struct {
	Requests int64               `json:"requests"` // requests received
	Active   int64               `json:"active"`   // requests in progress now
	HTTP2    int64               `json:"http2"`    // of the requests, those that came over HTTP/2
	Streams  map[string]Delivery `json:"streams"`  // by response id
}

// upstream is the mock Responses API.
type upstream struct {
	requests, active, http2 atomic.Int64
	serial                  atomic.Int64

	mu       sync.Mutex
	streams  map[string]Delivery
	lastBody []byte // the request body hashed last
	lastSum  string
}

func upstreamCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("upstream", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:9100", "address to listen on")
	tlsListen := flags.String("tls-listen", "", "address to listen on with TLS and HTTP/2 as well; empty for none")
	certFile := flags.String("cert", "", "file to write the certificate of the TLS listener to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	handler := newUpstream()
	if *tlsListen == "" {
		return serve(ctx, *listen, handler)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 2)
	go func() { failed <- serve(ctx, *listen, handler) }()
	go func() { failed <- serveTLS(ctx, *tlsListen, *certFile, handler) }()
	err := <-failed
	cancel()
	return errors.Join(err, <-failed)
}

func newUpstream() http.Handler {
	u := &upstream{streams: map[string]Delivery{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/responses", u.responses)
	mux.HandleFunc("GET /v1/responses", u.socket)
	mux.HandleFunc("GET /v1/models", u.models)
	mux.HandleFunc("GET /ledger", u.ledger)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	return mux
}

// ledger hands out the account and starts a new one.
func (u *upstream) ledger(w http.ResponseWriter, _ *http.Request) {
	u.mu.Lock()
	streams := u.streams
	u.streams = map[string]Delivery{}
	u.mu.Unlock()
	_ = json.NewEncoder(w).Encode(Ledger{
		Requests: u.requests.Swap(0),
		Active:   u.active.Load(),
		HTTP2:    u.http2.Swap(0),
		Streams:  streams,
	})
}

// models lists one model, for gateways that look models up at start.
func (u *upstream) models(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"object":"list","data":[{"id":"mock","object":"model","created":1700000000,"owned_by":"bench"}]}`)
}

// enter counts a request and returns what ends it.
func (u *upstream) enter(r *http.Request) (leave func()) {
	u.requests.Add(1)
	if r.ProtoMajor == 2 {
		u.http2.Add(1)
	}
	u.active.Add(1)
	return func() { u.active.Add(-1) }
}

func (u *upstream) responses(w http.ResponseWriter, r *http.Request) {
	defer u.enter(r)()
	var buf bytes.Buffer
	buf.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead)
	if _, err := buf.ReadFrom(r.Body); err != nil {
		return // the client went away
	}
	body := buf.Bytes()
	spec, err := specOf(r, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	id := u.newID()
	w.Header().Set("Cf-Ray", id[16:]+"-SJC")
	w.Header().Set("X-Request-Id", "req_"+id)
	w.Header().Set("Openai-Processing-Ms", "42")
	if spec.Status != http.StatusOK {
		writeError(w, spec.Status)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	flush := http.NewResponseController(w).Flush
	s := newStream(id, spec.Model(), func(frames []byte) error {
		if _, err := w.Write(frames); err != nil {
			return err
		}
		return flush()
	})
	if err := s.send(r.Context(), spec); err != nil {
		return
	}
	u.record(id, body, hex.EncodeToString(s.sum.Sum(nil)))
}

func (u *upstream) newID() string { return fmt.Sprintf("%032x", u.serial.Add(1)+time.Now().UnixNano()) }

// record enters a complete stream into the ledger. A load sends one body over and over, and comparing megabytes is far
// cheaper than hashing them.
func (u *upstream) record(id string, body []byte, sent string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.lastSum == "" || !bytes.Equal(body, u.lastBody) {
		sum := sha256.Sum256(body)
		u.lastBody, u.lastSum = body, hex.EncodeToString(sum[:])
	}
	u.streams["resp_"+id] = Delivery{Request: u.lastSum, Response: sent}
}

// writeError answers with the body and headers of an API error.
func writeError(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"message":"mock error","type":"mock_error","param":null,"code":"mock_%d"}}`, status)
}
