package proxy

import (
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/coding"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/ssetap"
)

// answered sees a response before it is passed on. It is ReverseProxy's
// ModifyResponse; it changes nothing but puts a tap into the body.
func (e *exchange) answered(response *http.Response) error {
	e.upload.answered.Store(true)
	// The server adds a Date and a guessed Content-Type where there is none,
	// unless the header map says that there shall be none.
	for _, name := range []string{"Date", "Content-Type"} {
		if _, ok := response.Header[name]; !ok {
			e.w.Header()[name] = nil
		}
	}
	if response.StatusCode == http.StatusSwitchingProtocols {
		if err := e.switched(response); err != nil {
			return err
		}
		e.upload.keep = true
		e.connected(response)
		return nil
	}
	if e.socket && lacksWebSocket(response.StatusCode) {
		return errNoWebSocket
	}
	if !e.watches() {
		return nil
	}
	defer e.contain()
	now := time.Now()
	if e.socket {
		e.tellConnect(outcome{header: response.Header, status: response.StatusCode, at: now})
		return nil
	}
	e.h.at("response")
	record, request := e.attempt(outcome{header: response.Header, status: response.StatusCode, at: now})
	refused := response.StatusCode < 200 || response.StatusCode > 299
	if refused && e.refused(response, record) {
		return nil
	}
	e.recorder.Record(record)
	if refused || e.in.Method == http.MethodHead {
		return nil
	}
	e.stream = e.endpoint.Streams && isStream(response.Header, request.Stream)
	if !e.stream && !e.endpoint.Generates && !e.endpoint.Stored {
		return nil
	}
	e.tap(response, request, record.Scope, now)
	return nil
}

// tap has the body of the response read as it passes. Its frame is apart, since
// the goroutine's stack need not grow without it.
func (e *exchange) tap(response *http.Response, request *responses.Request, scope *events.Scope, now time.Time) {
	decoder := e.decoding(response.Header["Content-Encoding"])
	if decoder != nil && decoder.Result().State == coding.Unsupported {
		e.h.encoded.Add(1)
		return
	}
	turn := responses.NewTurn(responses.TurnConfig{
		Recorder:   e.recorder,
		Scope:      scope,
		ExchangeID: e.id,
		Start:      now,
		Detail:     e.h.cfg.Detail,
		Endpoint:   e.endpoint,
		Request:    request,
		CFRay:      limited(response.Header.Get("Cf-Ray")),
		Items:      e.session,
	})
	options := ssetap.Options{
		MaxEventBytes: e.h.cfg.MaxEventBytes,
		MaxBodyBytes:  e.h.cfg.MaxResponseBytes,
		OnPanic:       func(any) { e.h.panics.Add(1) },
	}
	if decoder != nil {
		options.Decoding = decoder
	}
	if e.stream {
		response.Body = ssetap.NewTap(response.Body, streamSink{e.h, turn, decoder}, options)
	} else {
		response.Body = ssetap.NewBodyTap(response.Body, &documentSink{h: e.h, turn: turn, decoder: decoder}, options)
	}
}

// decoding returns a decoder for a body with those codings, nil for one without.
func (e *exchange) decoding(contentEncoding []string) *coding.Decoder {
	if coding.Identity(contentEncoding) {
		return nil
	}
	return e.h.responses.Decoder(contentEncoding)
}

// isStream reports whether a response is a stream of events. Some upstreams
// leave out the type, so a request for a stream decides then.
func isStream(header http.Header, asked bool) bool {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || kind == "" {
		return asked
	}
	return kind == "text/event-stream"
}

// streamSink shows a stream to a Turn.
type streamSink struct {
	h       *Handler
	turn    *responses.Turn
	decoder *coding.Decoder // nil for a body as it is
}

var _ ssetap.Sink = streamSink{}

// Event implements ssetap.Sink.
func (s streamSink) Event(e *ssetap.Event) bool {
	s.h.at("event")
	return s.turn.Event(responses.StreamEvent{Name: e.Name, Data: e.Data, Tail: e.Tail, At: e.At})
}

// End implements ssetap.Sink.
func (s streamSink) End(end ssetap.End) {
	s.h.at("end")
	s.h.cutEvents.Add(end.Truncated)
	if end.Unfinished {
		s.h.halfEvents.Add(1)
	}
	s.turn.End(s.h.ending(end, s.decoder))
}

// documentSink shows a JSON response to a Turn when it has ended.
type documentSink struct {
	h          *Handler
	decoder    *coding.Decoder // nil for a body as it is
	turn       *responses.Turn
	body, tail []byte
}

var _ ssetap.Sink = (*documentSink)(nil)

// Event implements ssetap.Sink. The body comes right before End.
func (s *documentSink) Event(e *ssetap.Event) bool {
	// The slices are the tap's; End comes after this call.
	s.body, s.tail = slices.Clone(e.Data), slices.Clone(e.Tail)
	return false
}

// End implements ssetap.Sink.
func (s *documentSink) End(end ssetap.End) {
	s.h.at("end")
	s.turn.Document(s.body, s.tail, s.h.ending(end, s.decoder))
}

// ending says in a Turn's words how a body ended. To the tap the proxy itself is
// the client.
func (h *Handler) ending(end ssetap.End, decoder *coding.Decoder) responses.Ending {
	unread := decoder != nil && undecoded(decoder)
	if unread {
		h.undecoded.Add(1)
	}
	by := end.By.String()
	if end.By == ssetap.EndedByClient && h.cut.Err() != nil {
		by = "proxy"
	}
	return responses.Ending{By: by, Err: end.Err, Bytes: end.Bytes, At: end.At, Unread: unread}
}
