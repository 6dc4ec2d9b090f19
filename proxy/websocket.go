package proxy

import (
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
	"github.com/codex-proxy/codex-proxy/internal/wstap"
)

// Bounds of what a socket remembers.
const (
	maxWaiting      = 64 // requests behind the one that is answered
	maxWaitingBytes = 8 << 20
	maxEarly        = 256
	maxEarlyBytes   = 1 << 20
	maxModelBytes   = 256
)

// socket tells what passes through a WebSocket at /responses: each
// response.create is a request, the messages that follow are its response. The
// server answers one request after the other.
//
// The two directions are looked at by two goroutines, each when bytes have
// passed, so that either may be ahead. A request that comes before the end of
// the response before it was seen waits for that, and messages that come before
// the request they answer wait for it.
type socket struct {
	e   *exchange
	ray string

	mu     sync.Mutex
	made   *events.Record  // the handshake, until a request tells the model
	begun  int             // requests told
	turn   *responses.Turn // the response under way, nil between two
	named  bool            // response.created came for it
	behind pile            // requests that wait for the turn to end
	early  pile            // messages that wait for their request
}

// tapped returns conn with a look at what passes. What the handshake agreed on
// stands in its answer.
func (e *exchange) tapped(conn io.ReadWriteCloser, header http.Header, made events.Record) io.ReadWriteCloser {
	agreed, err := wstap.ParseExtensions(header["Sec-Websocket-Extensions"])
	if err != nil {
		e.h.lostSockets.Add(1)
	}
	s := &socket{e: e, ray: limited(header.Get("Cf-Ray")), made: &made}
	return wstap.NewTunnel(conn, wstap.Sinks{Client: socketClient{s}, Server: socketServer{s}, End: s.end}, wstap.Options{
		Deflate:         agreed,
		MaxMessageBytes: e.h.cfg.MaxEventBytes,
		Pool:            &e.h.inflaters,
		OnPanic:         func(any) { e.h.panics.Add(1) },
	})
}

// ask takes a request.
func (s *socket) ask(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.e.h.at("ask")
	if s.turn == nil {
		s.begin(m)
		return
	}
	if !s.behind.push(m, maxWaiting, maxWaitingBytes) {
		s.lost()
	}
}

// begin tells of a request, and of what came in answer to it already. The caller
// holds mu.
func (s *socket) begin(m message) {
	inspector := responses.NewInspector(responses.InspectorConfig{Items: true, InFlight: s.e.h.cfg.Sessions.InFlight})
	inspector.Write(m.data)
	request := inspector.Request()
	if request.Malformed {
		s.e.h.malformed.Add(1)
	}
	s.tellMade(request.Model)
	s.begun++
	id := s.e.id + "-" + strconv.Itoa(s.begun)
	conversation := id
	if s.begun == 1 {
		// The handshake is part of the first conversation.
		conversation = s.e.id
	}
	var input *responses.Input
	if inspector.Done() {
		input = inspector.Input()
	}
	exchange := s.e.h.cfg.Sessions.Begin(&session.Arrival{
		Header: s.e.in.Header.Get, Endpoint: s.e.endpoint, Request: request, Input: input,
		Resource: s.e.h.cfg.Resource, ExchangeID: conversation, Auth: credentialSum(s.e.in.Header), At: m.start, Late: s.e.recorder,
	})
	for _, record := range exchange.Records() {
		s.e.recorder.Record(record)
	}
	s.e.recorder.Record(events.Record{
		Event: &events.WebSocketRequest{
			DurationMS:   events.Milliseconds(m.at.Sub(m.start)),
			Success:      true,
			Reused:       events.Some(s.begun > 1 || request.WarmsUp),
			Warmup:       events.Some(request.WarmsUp),
			RequestBytes: events.Some(m.size),
			First:        s.begun == 1,
		},
		Scope: exchange.Scope(), Time: m.at, ID: id + "-0",
	})
	s.named = false
	s.turn = responses.NewTurn(responses.TurnConfig{
		Recorder: s.e.recorder, Scope: exchange.Scope(), ExchangeID: id, Start: m.at,
		Endpoint: s.e.endpoint, Request: request, CFRay: s.ray, WebSocket: true, Items: exchange,
		Detail: s.e.h.cfg.Detail, Messages: s.e.h.cfg.Messages,
	})
	for _, m := range s.early.take() {
		s.answer(m)
	}
}

// tellMade records the handshake, which names no model itself in releases of
// Codex before 0.160. The caller holds mu.
func (s *socket) tellMade(model string) {
	if s.made == nil {
		return
	}
	record := *s.made
	s.made = nil
	if record.Scope.Model == "" && len(model) <= maxModelBytes {
		scope := *record.Scope
		scope.Model, scope.Slug = model, model
		record.Scope = &scope
	}
	s.e.recorder.Record(record)
}

// answered takes a message of the server.
func (s *socket) answered(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.e.h.at("answered")
	if s.turn == nil {
		if !s.early.push(m, maxEarly, maxEarlyBytes) {
			s.lost()
		}
		return
	}
	s.answer(m)
}

// answer shows a message to the response under way. The caller holds mu.
func (s *socket) answer(m message) {
	if s.turn == nil {
		s.early.push(m, maxEarly, maxEarlyBytes)
		return
	}
	if gjson.GetBytes(m.data, "type").Str == "response.created" {
		if s.named && len(s.behind.messages) > 0 {
			// The response before ended without a word.
			s.turn.End(responses.Ending{By: "upstream", At: m.at})
			s.next()
		}
		s.named = true
	}
	if s.turn.Message(m.data, m.tail, m.at) {
		s.next()
	}
}

// next goes on to the request that waits. The caller holds mu.
func (s *socket) next() {
	s.turn = nil
	if m, ok := s.behind.pop(); ok {
		s.begin(m)
	}
}

// end tells of the requests that did not come to their end.
func (s *socket) end(end wstap.End) {
	defer s.e.h.leave()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.e.h.at("end")
	s.tellMade("")
	by := "client"
	switch {
	case s.e.h.cut.Err() != nil:
		by = "proxy"
	case end.By == wstap.EndedByServer, end.By == wstap.EndedByReadError:
		by = "upstream"
	}
	for s.turn != nil {
		s.turn.End(responses.Ending{By: by, Err: end.Err, At: end.At})
		s.next()
	}
}

// lost counts a direction that cannot be looked at any more.
func (s *socket) lost() { s.e.h.lostSockets.Add(1) }

// socketClient sees what the agent sends.
type socketClient struct{ *socket }

// Message implements wstap.Sink.
func (c socketClient) Message(m *wstap.Message) {
	if !m.Binary && gjson.GetBytes(m.Data, "type").Str == "response.create" {
		c.ask(messageOf(m))
	}
}

// CloseFrame implements wstap.Sink.
func (socketClient) CloseFrame(wstap.CloseFrame) {}

// Lost implements wstap.Sink.
func (c socketClient) Lost(wstap.Lost) { c.lost() }

// socketServer sees what the upstream sends.
type socketServer struct{ *socket }

// Message implements wstap.Sink.
func (s socketServer) Message(m *wstap.Message) {
	if !m.Binary {
		s.answered(messageOf(m))
	}
}

// CloseFrame implements wstap.Sink.
func (socketServer) CloseFrame(wstap.CloseFrame) {}

// Lost implements wstap.Sink.
func (s socketServer) Lost(wstap.Lost) { s.lost() }
