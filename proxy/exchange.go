package proxy

import (
	"crypto/rand"
	"hash/maphash"
	"io"
	"net/http"
	"strconv"
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

	mu        sync.Mutex // guards what follows: the transport may read on while the response comes
	inspector *responses.Inspector
	decoder   *coding.Decoder   // nil unless the body is encoded
	session   *session.Exchange // nil until the request was read
}

func newExchange(h *Handler, w http.ResponseWriter, r *http.Request) *exchange {
	e := &exchange{h: h, w: w, in: r, arrived: time.Now()}
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
func (e *exchange) begin(request responses.Request, input *responses.Input) {
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
func (e *exchange) request() (responses.Request, *session.Exchange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var request responses.Request
	if e.inspector != nil {
		request = e.inspector.Request()
	}
	if e.session == nil {
		e.begin(request, nil)
	}
	return request, e.session
}

// outcome is how a request was answered: with a response, or with an error.
type outcome struct {
	header http.Header // nil without a response
	status int
	err    error
	gone   bool // the agent gave up first
	at     time.Time
}

// tell records codex.api_request.
func (e *exchange) tell(o outcome) {
	record, _ := e.attempt(o)
	e.recorder.Record(record)
}

// attempt returns codex.api_request and the request that it is of.
func (e *exchange) attempt(o outcome) (events.Record, responses.Request) {
	request, conversation := e.request()
	if request.Malformed && o.err == nil {
		e.malformed()
	}
	answered := *conversation.Scope()
	scope := &answered
	scope.RequestID, scope.Memo = requestID(o.header), new(events.Memo)
	number, after := e.h.cfg.Sessions.Attempt(session.Call{
		Scope: scope, Endpoint: e.endpoint.Path, Sum: request.Sum, Auth: credentialSum(e.in.Header),
		Arrived: e.arrived, Answered: o.at, Status: o.status, RetryAfter: o.header.Get("Retry-After") != "",
		Told: toldAttempt(e.in.Header),
	})
	event := apiRequest(e.in, e.endpoint, o)
	event.DurationMS = events.Milliseconds(o.at.Sub(e.arrived))
	event.Attempt = number
	event.AfterUnauth = events.Some(after)
	if size := e.sent(request); size > 0 {
		event.RequestBytes = events.Some(size)
	}
	return events.Record{Event: event, Scope: scope, Time: o.at, ID: e.id + "-0"}, request
}

// malformed counts a body that is not one JSON object, or could not be decoded
// to one.
func (e *exchange) malformed() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.decoder != nil && undecoded(e.decoder) {
		e.h.undecoded.Add(1)
		return
	}
	e.h.malformed.Add(1)
}

// sent returns how many bytes of the body were seen, as they were sent.
func (e *exchange) sent(request responses.Request) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.decoder != nil {
		return e.decoder.Result().Encoded
	}
	return request.Bytes
}

// undecoded reports whether a body could not be decoded for what it is, rather
// than for its early end.
func undecoded(decoder *coding.Decoder) bool {
	switch decoder.Result().State {
	case coding.Open, coding.Done, coding.Truncated:
		return false
	default:
		return true
	}
}

// toldAttempt reads the retry count that OpenAI's SDKs send.
func toldAttempt(header http.Header) events.Opt[int64] {
	n, err := strconv.ParseInt(header.Get("X-Stainless-Retry-Count"), 10, 32)
	if err != nil || n < 0 {
		return events.Opt[int64]{}
	}
	return events.Some(n)
}

// seed makes sums of credentials meaningless outside this process.
var seed = maphash.MakeSeed()

// credentialSum tells other credentials from the same ones, and nothing else.
func credentialSum(header http.Header) uint64 {
	return maphash.String(seed, header.Get("Authorization"))
}
