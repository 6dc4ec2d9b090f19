package proxy

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
	"github.com/codex-proxy/codex-proxy/internal/wstap"
)

// Bounds of what a socket remembers.
const (
	maxOpenTurns  = 64 // requests that wait for their response
	maxEarly      = 256
	maxEarlyBytes = 1 << 20
)

// socket tells what passes through a WebSocket at /responses: each
// response.create is a request, the messages that follow are its response. The
// server answers requests in their order.
type socket struct {
	e   *exchange
	ray string

	mu    sync.Mutex
	asked int               // requests so far
	open  []*responses.Turn // not answered to the end, oldest first
	// early are messages that came before the request they answer was seen: the
	// two directions are looked at by two goroutines.
	early      []earlyMessage
	earlyBytes int
}

type earlyMessage struct {
	data, tail []byte
	at         time.Time
}

// tapped returns conn with a look at what passes. What the handshake agreed on
// stands in its answer.
func (e *exchange) tapped(conn io.ReadWriteCloser, header http.Header) io.ReadWriteCloser {
	agreed, err := wstap.ParseExtensions(header["Sec-Websocket-Extensions"])
	if err != nil {
		e.h.lostSockets.Add(1)
	}
	s := &socket{e: e, ray: limited(header.Get("Cf-Ray"))}
	return wstap.NewTunnel(conn, wstap.Sinks{Client: socketClient{s}, Server: socketServer{s}, End: s.end}, wstap.Options{
		Deflate:         agreed,
		MaxMessageBytes: e.h.cfg.MaxEventBytes,
		Pool:            &e.h.inflaters,
		OnPanic:         func(any) { e.h.panics.Add(1) },
	})
}

// ask takes a request.
func (s *socket) ask(m *wstap.Message) {
	inspector := responses.NewInspector(responses.InspectorConfig{Items: true, InFlight: s.e.h.cfg.Sessions.InFlight})
	inspector.Write(m.Data)
	request := inspector.Request()
	if request.Malformed {
		s.e.h.malformed.Add(1)
	}
	s.mu.Lock()
	s.asked++
	number := s.asked
	s.mu.Unlock()
	id := s.e.id + "-" + strconv.Itoa(number)
	conversation := id
	if number == 1 {
		// The handshake is part of the first conversation.
		conversation = s.e.id
	}
	var input *responses.Input
	if inspector.Done() {
		input = inspector.Input()
	}
	exchange := s.e.h.cfg.Sessions.Begin(&session.Arrival{
		Header: s.e.in.Header.Get, Endpoint: s.e.endpoint, Request: request, Input: input,
		Resource: s.e.h.cfg.Resource, ExchangeID: conversation, Auth: credentialSum(s.e.in.Header), At: m.Start, Late: s.e.recorder,
	})
	for _, record := range exchange.Records() {
		s.e.recorder.Record(record)
	}
	s.e.recorder.Record(events.Record{
		Event: &events.WebSocketRequest{
			DurationMS:   events.Milliseconds(m.At.Sub(m.Start)),
			Success:      true,
			Reused:       events.Some(number > 1 || request.WarmsUp),
			Warmup:       events.Some(request.WarmsUp),
			RequestBytes: events.Some(m.Size),
		},
		Scope: exchange.Scope(), Time: m.At, ID: id + "-0",
	})
	s.expect(responses.NewTurn(responses.TurnConfig{
		Recorder: s.e.recorder, Scope: exchange.Scope(), ExchangeID: id, Start: m.At,
		Endpoint: s.e.endpoint, Request: request, CFRay: s.ray, WebSocket: true, Items: exchange,
	}))
}

// expect takes the response that is to come, and what came of it already.
func (s *socket) expect(turn *responses.Turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == maxOpenTurns {
		s.e.h.lostSockets.Add(1)
		return
	}
	s.open = append(s.open, turn)
	early := s.early
	s.early, s.earlyBytes = nil, 0
	for _, m := range early {
		s.answer(m.data, m.tail, m.at)
	}
}

// answered takes a message of the server.
func (s *socket) answered(m *wstap.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) > 0 {
		s.answer(m.Data, m.Tail, m.At)
		return
	}
	if len(s.early) == maxEarly || s.earlyBytes+len(m.Data) > maxEarlyBytes {
		return
	}
	s.earlyBytes += len(m.Data)
	s.early = append(s.early, earlyMessage{slices.Clone(m.Data), slices.Clone(m.Tail), m.At})
}

// answer shows a message to the response under way. The caller holds mu.
func (s *socket) answer(data, tail []byte, at time.Time) {
	if len(s.open) > 0 && s.open[0].Message(data, tail, at) {
		s.open = slices.Delete(s.open, 0, 1)
	}
}

// end tells of the responses that did not come to their end.
func (s *socket) end(end wstap.End) {
	defer s.e.h.leave()
	s.mu.Lock()
	defer s.mu.Unlock()
	by := "client"
	switch {
	case s.e.h.cut.Err() != nil:
		by = "proxy"
	case end.By == wstap.EndedByServer, end.By == wstap.EndedByReadError:
		by = "upstream"
	}
	for _, turn := range s.open {
		turn.End(responses.Ending{By: by, Err: end.Err, At: end.At})
	}
	s.open = nil
}

// lost counts a direction that cannot be looked at any more.
func (s *socket) lost() { s.e.h.lostSockets.Add(1) }

// socketClient sees what the agent sends.
type socketClient struct{ *socket }

// Message implements wstap.Sink.
func (c socketClient) Message(m *wstap.Message) {
	if !m.Binary && gjson.GetBytes(m.Data, "type").Str == "response.create" {
		c.ask(m)
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
		s.answered(m)
	}
}

// CloseFrame implements wstap.Sink.
func (socketServer) CloseFrame(wstap.CloseFrame) {}

// Lost implements wstap.Sink.
func (s socketServer) Lost(wstap.Lost) { s.lost() }
