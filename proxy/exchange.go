package proxy

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/coding"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
)

// exchange is one request and its response. It is also the buffer pool of its
// own copy loop: the tap looks at a chunk after the loop has let go of the
// buffer, so the buffer may be reused only when the exchange is over.
type exchange struct {
	h        *Handler
	w        http.ResponseWriter
	in       *http.Request
	upload   *upload
	id       string
	arrived  time.Time
	endpoint responses.Endpoint
	stored   string          // id of the stored response that the request is for
	recorder events.Recorder // nil unless watched
	tunnel   bool            // the connection is a tunnel with a tap now
	socket   bool            // a WebSocket handshake at the endpoint
	stream   bool            // the response is a stream of events
	buffer   *[]byte         // to copy the response through; nil until that begins
	buffers  *sync.Pool      // where it goes back to

	forwarder httputil.ReverseProxy // with the exchange's own hooks

	mu        sync.Mutex // guards what follows: the transport may read on while the response comes
	inspector *responses.Inspector
	decoder   *coding.Decoder   // nil unless the body is encoded
	session   *session.Exchange // nil until the request was read
}

// newExchange returns a request as an exchange that ends with ctx, ready to be
// forwarded.
func newExchange(ctx context.Context, h *Handler, w http.ResponseWriter, r *http.Request) *exchange {
	// Without full duplex the server closes the request body at the first byte
	// of the response, and a transport that has not read its end yet cuts the
	// stream (golang/go#40747). Only HTTP/1 needs it; others refuse the call.
	_ = http.NewResponseController(w).EnableFullDuplex()
	r = r.WithContext(ctx)
	e := &exchange{h: h, w: w, in: r, arrived: time.Now(), upload: newUpload(w, r, h.cfg.BodyIdleTimeout)}
	r.Body = e.upload
	if rest, ok := belowV1(r.URL.Path); ok {
		e.endpoint, e.stored = responses.EndpointOf(r.Method, rest), responses.StoredID(rest)
		if e.socket = rest == "/responses" && upgrades(r); e.socket {
			// Each message is what a POST would be.
			e.endpoint = responses.EndpointOf(http.MethodPost, rest)
		}
	}
	if e.watches() {
		e.id = rand.Text()
		e.recorder = scrub(&h.teller, r)
	}
	e.forwarder = h.forwarder
	e.forwarder.BufferPool = e
	e.forwarder.Rewrite = e.rewrite
	e.forwarder.ModifyResponse = e.answered
	e.forwarder.ErrorHandler = e.failed
	return e
}

// watches reports whether the exchange is to be told.
func (e *exchange) watches() bool { return e.h.cfg.Recorder != nil && e.endpoint.Model() }

// Get implements httputil.BufferPool.
func (e *exchange) Get() []byte {
	if e.buffer == nil {
		e.buffers = &e.h.buffers
		if e.stream {
			e.buffers = &e.h.small
		}
		e.buffer, _ = e.buffers.Get().(*[]byte)
	}
	return *e.buffer
}

// Put implements httputil.BufferPool. The buffer goes back in release.
func (e *exchange) Put([]byte) {}

// release ends the exchange, unless a tunnel goes on until both its directions
// have ended.
func (e *exchange) release() {
	if !e.tunnel {
		defer e.h.leave()
	}
	if e.buffer != nil {
		e.buffers.Put(e.buffer)
		e.buffer = nil
	}
	if e.decoder != nil {
		defer e.contain()
		e.mu.Lock()
		defer e.mu.Unlock()
		e.h.at("release")
		e.decoder.Finish(e.inspector.Write)
	}
}

// inspected returns body with a look at what passes, where it can be read.
func (e *exchange) inspected(body io.ReadCloser, length int64) io.ReadCloser {
	if values := e.in.Header["Content-Encoding"]; !coding.Identity(values) {
		decoder := e.h.requests.Decoder(values)
		if decoder.Result().State == coding.Unsupported {
			e.h.encoded.Add(1)
			return body
		}
		e.decoder = decoder
	}
	total := length
	if e.decoder != nil {
		total = 0 // not what it is decoded to
	}
	e.inspector = responses.NewInspector(responses.InspectorConfig{
		Items:    e.endpoint.Generates && !e.endpoint.Chat,
		InFlight: e.h.cfg.Sessions.InFlight,
		History:  e.h.history,
		Bytes:    total,
	})
	return &inspectedBody{ReadCloser: body, look: e.look, left: length}
}

// look takes bytes of the request body that were passed on.
func (e *exchange) look(p []byte) {
	defer e.contain()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.h.at("request")
	if e.decoder != nil {
		e.decoder.Write(p, e.inspector.Write)
	} else {
		e.inspector.Write(p)
	}
	if e.session == nil && e.inspector.Done() {
		e.begin(e.inspector.Request(), e.inspector.Input())
	}
}

// begin tells what is new in the request. The caller holds mu.
func (e *exchange) begin(request *responses.Request, input *responses.Input) {
	e.h.at("begin")
	e.session = e.h.cfg.Sessions.Begin(&session.Arrival{
		Header: e.in.Header.Get, Endpoint: e.endpoint, Request: request, Input: input, ResponseID: e.stored,
		Resource: e.h.cfg.Resource, ExchangeID: e.id, Auth: credentialSum(e.in.Header), At: e.arrived, Late: e.recorder,
	})
	for _, record := range e.session.Records() {
		e.recorder.Record(record)
	}
}

// at is where a test may make the observation panic.
func (h *Handler) at(place string) {
	if h.probe != nil {
		h.probe(place)
	}
}

// contain keeps a panic of observation from the traffic.
func (e *exchange) contain() {
	if recover() != nil {
		e.h.panics.Add(1)
	}
}

// request returns what is known of the request by now, and its part in a
// conversation. Of a body that is not complete, only the top level counts.
func (e *exchange) request() (*responses.Request, *session.Exchange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	request := new(responses.Request)
	if e.inspector != nil {
		request = e.inspector.Request()
	}
	if e.session == nil {
		e.begin(request, nil)
	}
	return request, e.session
}
