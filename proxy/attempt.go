package proxy

import (
	"hash/maphash"
	"net/http"
	"strconv"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/coding"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
)

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
func (e *exchange) attempt(o outcome) (events.Record, *responses.Request) {
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
func (e *exchange) sent(request *responses.Request) int64 {
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
