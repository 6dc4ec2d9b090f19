package responsestest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"github.com/tidwall/gjson"
)

// WebSocket says whether and how a server speaks WebSocket.
type WebSocket int

const (
	// WebSocketRefused answers 426 to an upgrade.
	WebSocketRefused WebSocket = iota
	// WebSocketPlain accepts upgrades to a path that ends in /responses.
	WebSocketPlain
	// WebSocketDeflate accepts them with permessage-deflate and context
	// takeover, if the client offers it.
	WebSocketDeflate
)

// socket serves one WebSocket connection: each response.create is a call like a
// POST of the same JSON, answered by the mounts; each event of the answer is one
// text message.
type socket struct {
	server  *Server
	upgrade *Request
	conn    *websocket.Conn
	ctx     context.Context // ends when the server closes
}

// accepts reports whether the server upgrades the request.
func (s *Server) accepts(r *Request) bool {
	return s.opts.WebSocket != WebSocketRefused && r.upgrade() && r.responses()
}

// serveSocket upgrades a connection and serves it until it ends.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request, req *Request) {
	serial := s.record(&s.upgrades, req)
	setDefaultHeader(w.Header(), serial)
	opts := &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled}
	if s.opts.WebSocket == WebSocketDeflate {
		opts.CompressionMode, opts.CompressionThreshold = websocket.CompressionContextTakeover, 1
	}
	conn, err := websocket.Accept(w, r, opts)
	if err != nil {
		req.finish(err)
		return
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(s.opts.MaxBodyBytes)
	sock := &socket{server: s, upgrade: req, conn: conn, ctx: s.ctx}
	req.finish(sock.serve())
}

// serve answers messages until the client leaves. Its error is nil if the client
// said goodbye.
func (s *socket) serve() error {
	for {
		_, message, err := s.conn.Read(s.ctx)
		switch {
		case s.ctx.Err() != nil:
			return ErrServerClosed
		case websocket.CloseStatus(err) != -1:
			return nil
		case err != nil:
			return errors.Join(ErrClientGone, err)
		}
		if gjson.GetBytes(message, "generate").Type == gjson.False {
			err = s.warm()
		} else {
			err = s.answer(message)
		}
		if err != nil {
			return err
		}
	}
}

// warm answers a request that only prepares the connection, which is no call.
func (s *socket) warm() error {
	for _, event := range []Event{Created("resp_warm"), CompletedWithTokens("resp_warm", Usage{})} {
		if err := s.send(event.Data); err != nil {
			return err
		}
	}
	return nil
}

// answer plays the answer to one call.
func (s *socket) answer(message []byte) error {
	call := s.call(message)
	resp, _ := s.server.dispatch(call)
	err := s.play(&resp)
	call.finish(err)
	return err
}

// call returns the request that a message makes. Path and headers are those of
// the upgrade.
func (s *socket) call(message []byte) *Request {
	call := *s.upgrade
	call.Method, call.Proto, call.At = http.MethodPost, "websocket", time.Now()
	call.Body, call.BodyBytes, call.BodySHA256 = message, int64(len(message)), sha256.Sum256(message)
	call.end = &ending{done: make(chan struct{})}
	return &call
}

func (s *socket) play(resp *Response) error {
	p := &player{ctx: s.ctx, resp: resp}
	if err := p.wait(resp.Delay, resp.Hold); err != nil {
		return err
	}
	switch {
	case resp.Abort == AbortBeforeHeaders:
		return ErrAborted
	case resp.status() >= http.StatusBadRequest:
		return s.send(errorMessage(resp))
	}
	for _, event := range resp.Events {
		if event.gate != nil {
			event.gate.reach()
		}
		if err := p.wait(resp.EventDelay+event.Delay, event.Hold); err != nil {
			return err
		}
		if event.Data == "" {
			continue
		}
		if err := s.send(event.Data); err != nil {
			return err
		}
	}
	if resp.Abort != AbortNone {
		return ErrAborted
	}
	return nil
}

// send sends a text message.
func (s *socket) send(text string) error {
	if err := s.conn.Write(s.ctx, websocket.MessageText, []byte(text)); err != nil {
		return errors.Join(ErrClientGone, err)
	}
	return nil
}

// errorMessage returns what stands for an HTTP error on a WebSocket.
func errorMessage(resp *Response) string {
	headers := map[string]string{}
	for name := range resp.Header {
		if name != "Content-Type" {
			headers[name] = resp.Header.Get(name)
		}
	}
	cause := json.RawMessage("null")
	if object := gjson.GetBytes(resp.Body, "error"); object.Exists() {
		cause = json.RawMessage(object.Raw)
	}
	return encode(struct {
		Type    string            `json:"type"`
		Status  int               `json:"status"`
		Error   json.RawMessage   `json:"error"`
		Headers map[string]string `json:"headers,omitempty"`
	}{"error", resp.status(), cause, headers})
}
