// Package proxy is the agent-facing handler: it forwards every request to the
// upstream and every byte back, and watches a copy of what passes.
//
// Forwarding is net/http/httputil.ReverseProxy. Watching happens in the bodies:
// the request's is read by an inspector, the response's by a tap, each only
// after the bytes were passed on; the tap's Close is the one place where an
// exchange ends.
package proxy

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/coding"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
	"github.com/codex-proxy/codex-proxy/internal/wstap"
)

// Config configures a Handler. Only BaseURL is required.
type Config struct {
	// BaseURL is where /v1 leads: /v1/responses goes to BaseURL/responses. Any
	// other path goes to the same host as it is.
	BaseURL *url.URL
	// ChatGPTBaseURL is the same for requests of a ChatGPT login, which name an
	// account; nil: BaseURL.
	ChatGPTBaseURL *url.URL
	// NoWebSocket answers WebSocket handshakes at /responses with 426.
	NoWebSocket bool
	// Recorder gets the events, one at a time and in order, shortly after they
	// happened: traffic does not wait for it. nil tells nothing and watches nothing.
	Recorder events.Recorder
	// Lost is told of records that the Recorder did not get, since it did not
	// return for too long: their event name, and how many; nil: nobody.
	Lost func(name string, n int)
	// Sessions remembers conversations; nil means a new one.
	Sessions *session.Tracker
	// Resource gives service.name and env of the records.
	Resource events.Resource
	// Logger gets failures of the upstream; nil discards them.
	Logger *slog.Logger

	RootCAs       *x509.CertPool // nil: the system's roots
	OutboundProxy *url.URL       // nil: none; the environment is never read

	DialTimeout           time.Duration // 0: none
	TLSHandshakeTimeout   time.Duration // 0: none
	ResponseHeaderTimeout time.Duration // 0: none, for models that think for minutes
	IdleConnTimeout       time.Duration // 0: none

	// BodyIdleTimeout is how long an agent may send nothing in the middle of a
	// request before its answer begins; 0: forever.
	BodyIdleTimeout time.Duration

	// ForwardedFor adds X-Forwarded-For; otherwise nothing is added at all.
	ForwardedFor bool
	// Detail says which events of a stream are told.
	Detail responses.Detail
	// Messages has each message of a WebSocket told, if the agent is a release of
	// Codex that tells it.
	Messages bool
	// MaxRequestBytes bounds what a compressed request is decoded to; 0 means
	// the default of coding, as for responses.
	MaxRequestBytes int64
	// MaxEventBytes bounds what is kept of one SSE event, MaxResponseBytes of a
	// JSON response. 0 means the defaults of ssetap.
	MaxEventBytes, MaxResponseBytes int
	// IsSelf reports the addresses that this process listens on, so that a loop
	// is refused instead of followed; nil: none.
	IsSelf func(net.Addr) bool
}

// Stats counts what a Handler did since it was made.
type Stats struct {
	Exchanges        int64 // requests forwarded
	Live             int64 // exchanges under way
	Loops            int64 // requests refused because the upstream is this proxy
	Panics           int64 // panics of observation, contained
	Untold           int64 // records that wait for the Recorder
	Lost             int64 // records that the Recorder did not get
	UpstreamFailures int64 // requests that got no response
	EncodedBodies    int64 // bodies in an encoding that is not known, forwarded without being read
	UndecodedBodies  int64 // bodies that could not be decoded to their end: damaged or too large
	MalformedBodies  int64 // request bodies that were not one JSON object
	CutEvents        int64 // events of a stream larger than MaxEventBytes, looked at in part
	HalfEvents       int64 // streams that ended in the middle of an event
	LostSockets      int64 // directions of a WebSocket that could not be looked at to their end
}

// Handler forwards requests. It is safe for concurrent use.
type Handler struct {
	cfg       Config
	transport *http.Transport
	buffers   sync.Pool   // of *[]byte of bufferBytes
	small     sync.Pool   // of *[]byte of streamBytes
	requests  coding.Pool // of decoders
	responses coding.Pool
	inflaters wstap.Pool
	history   *responses.History
	forwarder httputil.ReverseProxy
	teller    teller
	probe     func(place string) // if set, called wherever traffic is looked at; tests panic there
	left      chan struct{}      // holds at most one reason for Idle to look
	cut       context.Context
	cutNow    context.CancelFunc

	exchanges, live, loops, panics, failures, encoded, malformed, cutEvents, halfEvents, lostSockets, undecoded atomic.Int64
}

// The sizes of copy buffers. A stream of events holds its buffer for as long as it is
// open, and waits most of that time. Its events are small but for the last one, and
// the transport reads them from a buffer of that size anyway.
const (
	bufferBytes = 16 << 10
	streamBytes = 4 << 10
)

// newBuffer returns what makes the buffers of a pool.
func newBuffer(size int) func() any {
	return func() any {
		buffer := make([]byte, size)
		return &buffer
	}
}

// New returns a Handler for the upstream at cfg.BaseURL.
func New(cfg Config) (*Handler, error) {
	if cfg.BaseURL == nil || cfg.BaseURL.Host == "" || cfg.ChatGPTBaseURL != nil && cfg.ChatGPTBaseURL.Host == "" {
		return nil, errors.New("proxy: base URL has no host")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Sessions == nil {
		cfg.Sessions = session.New(session.Config{})
	}
	h := &Handler{cfg: cfg, left: make(chan struct{}, 1)}
	h.teller.next, h.teller.lost, h.teller.onPanic = cfg.Recorder, cfg.Lost, func() { h.panics.Add(1) }
	h.requests.MaxBytes, h.history = cfg.MaxRequestBytes, responses.NewHistory(0)
	h.cut, h.cutNow = context.WithCancel(context.Background())
	h.transport = NewTransport(cfg)
	h.buffers.New, h.small.New = newBuffer(bufferBytes), newBuffer(streamBytes)
	h.forwarder = httputil.ReverseProxy{
		Transport: h.transport,
		ErrorLog:  slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelDebug),
	}
	return h, nil
}

// Close closes the idle connections to the upstream.
func (h *Handler) Close() { h.transport.CloseIdleConnections() }

// Idle waits until no exchange is under way, WebSocket tunnels included, and
// the Recorder knows of all of them, or ctx ends, whose error it returns then.
// One caller at a time is told.
func (h *Handler) Idle(ctx context.Context) error {
	for h.live.Load() > 0 {
		select {
		case <-h.left:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return h.Settle(ctx)
}

// Settle waits until the Recorder has taken what was told so far, or ctx ends,
// whose error it returns then.
func (h *Handler) Settle(ctx context.Context) error { return h.teller.settle(ctx) }

// Cut breaks off the exchanges under way, and every later one.
func (h *Handler) Cut() { h.cutNow() }

// leave ends an exchange.
func (h *Handler) leave() {
	if h.live.Add(-1) > 0 {
		return
	}
	select {
	case h.left <- struct{}{}:
	default:
	}
}

// Stats returns a snapshot of the counters.
func (h *Handler) Stats() Stats {
	untold, lost := h.teller.stats()
	return Stats{
		Untold:           int64(untold),
		Lost:             lost,
		Exchanges:        h.exchanges.Load(),
		Live:             h.live.Load(),
		Loops:            h.loops.Load(),
		Panics:           h.panics.Load(),
		UpstreamFailures: h.failures.Load(),
		EncodedBodies:    h.encoded.Load(),
		UndecodedBodies:  h.undecoded.Load(),
		MalformedBodies:  h.malformed.Load(),
		CutEvents:        h.cutEvents.Load(),
		HalfEvents:       h.halfEvents.Load(),
		LostSockets:      h.lostSockets.Load(),
	}
}

// ServeHTTP forwards one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if ambiguous(r) {
		writeError(w, http.StatusBadRequest, "ambiguous_request", "codex-proxy: the method, the target or the length is none")
		return
	}
	h.exchanges.Add(1)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(h.cut, cancel)()
	h.live.Add(1)
	e := newExchange(ctx, h, w, r)
	defer e.release()
	if e.socket && h.cfg.NoWebSocket {
		e.refuseUpgrade(w, "websocket_off", "codex-proxy: WebSocket is switched off here; use HTTP")
		return
	}
	if upgrades(e.in) {
		w = earlyWriter{w}
	}
	e.forwarder.ServeHTTP(w, e.in)
	e.upload.finish(e.in)
}
