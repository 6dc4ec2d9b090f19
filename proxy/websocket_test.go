package proxy_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// lines renders what a test of a WebSocket compares.
func (j *journal) lines() []string {
	var lines []string
	for _, r := range j.all() {
		line := r.Event.EventName()
		switch e := r.Event.(type) {
		case *events.WebSocketConnect:
			line += fmt.Sprintf(" %s %t %s", e.StatusCode, e.Success, e.ErrorMessage)
		case *events.WebSocketRequest:
			line += fmt.Sprintf(" reused=%s warmup=%s", e.Reused, e.Warmup)
		case *events.SSEEvent:
			line += fmt.Sprintf(" %s %s %s", e.Kind, e.EndedBy, e.ErrorMessage)
			if e.Usage != nil {
				line += fmt.Sprintf(" %d/%d", e.Input, e.Output)
			}
		case *events.UserPrompt:
			line += " " + e.Prompt.Value
		case *events.ToolResult:
			line += " " + e.CallID.Value
		}
		lines = append(lines, line)
	}
	return lines
}

// socketPair is a client of a proxy in front of a mock that speaks WebSocket.
type socketPair struct {
	mock    *responsestest.Server
	conn    *websocket.Conn
	records *journal
	url     string // of the proxy
	close   func()
}

func startSocket(t *testing.T, mode responsestest.WebSocket, compression websocket.CompressionMode) *socketPair {
	t.Helper()
	mock, err := responsestest.Start(responsestest.Options{TB: t, WebSocket: mode})
	if err != nil {
		t.Fatal(err)
	}
	server, handler, records, _ := startLogged(t, mock.BaseURL())
	header := http.Header{"User-Agent": {"codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm"}, "Thread-Id": {"t1"}, "Authorization": {"Bearer sk-canary"}}
	conn, _, err := websocket.Dial(t.Context(), server.URL+"/v1/responses", &websocket.DialOptions{
		HTTPHeader: header, CompressionMode: compression, CompressionThreshold: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return &socketPair{mock: mock, conn: conn, records: records, url: server.URL, close: func() {
		server.Close()
		if err := handler.Idle(t.Context()); err != nil {
			t.Error(err)
		}
		if live := handler.Stats().Live; live != 0 {
			t.Errorf("%d exchanges are under way after the end; want none", live)
		}
	}}
}

// ask sends a request and reads as many messages as are to come.
func (p *socketPair) ask(t *testing.T, request string, answers int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := p.conn.Write(ctx, websocket.MessageText, []byte(request)); err != nil {
		t.Fatal(err)
	}
	for range answers {
		if _, _, err := p.conn.Read(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

const (
	warmUp      = `{"type":"response.create","model":"m","generate":false,"input":[]}`
	firstPrompt = `{"type":"response.create","model":"m","previous_response_id":"resp_warm","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"hello"}]}]}`
	toolOutput  = `{"type":"response.create","model":"m","previous_response_id":"r1","input":[{"type":"function_call_output","call_id":"c1","output":"ok"}]}`
)

func TestWebSocketIsTold(t *testing.T) {
	for name, compression := range map[string]websocket.CompressionMode{
		"plain":               websocket.CompressionDisabled,
		"deflate":             websocket.CompressionContextTakeover,
		"deflate, no context": websocket.CompressionNoContextTakeover,
	} {
		t.Run(name, func(t *testing.T) {
			p := startSocket(t, responsestest.WebSocketDeflate, compression)
			p.mock.Sequence(
				responsestest.Stream(responsestest.Created("r1"), responsestest.TextDelta("hi"),
					responsestest.FunctionCall("c1", "shell", `{}`), responsestest.CompletedWithTokens("r1", responsestest.Usage{Input: 5, Output: 7})),
				responsestest.Stream(responsestest.Created("r2"), responsestest.CompletedWithTokens("r2", responsestest.Usage{Input: 6, Output: 1})),
			)
			p.ask(t, warmUp, 2)
			p.ask(t, firstPrompt, 4)
			p.ask(t, toolOutput, 2)
			if err := p.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
				t.Error(err)
			}
			p.close()
			var got []string
			for _, line := range p.records.lines() {
				if line != "codex.conversation_starts" && line != "codex.tool_decision" {
					got = append(got, line)
				}
			}
			want := []string{
				"codex.websocket_connect 101 true ",
				"codex.websocket_request reused=true warmup=true",
				"codex.sse_event response.completed completed  0/0",
				"codex.user_prompt hello",
				"codex.websocket_request reused=true warmup=false",
				"codex.sse_event response.completed completed  5/7",
				"codex.tool_result c1",
				"codex.websocket_request reused=true warmup=false",
				"codex.sse_event response.completed completed  6/1",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
			for _, r := range p.records.all() {
				if r.Scope.ConversationID != "t1" {
					t.Errorf("%s is of conversation %q; want t1", r.Event.EventName(), r.Scope.ConversationID)
				}
			}
		})
	}
}

func TestWebSocketFailures(t *testing.T) {
	const disconnected = "stream disconnected before completion: "
	for name, test := range map[string]struct {
		response responsestest.Response
		answers  int
		want     string
	}{
		"failed": {
			responsestest.Stream(responsestest.Created("r1"), responsestest.Failed("r1", "server_error", "we failed")), 2,
			"codex.sse_event response.completed upstream " + disconnected + "we failed",
		},
		"error message": {
			responsestest.Error(http.StatusTooManyRequests, "rate_limit", "slow_down", "no"), 1,
			"codex.sse_event response.completed upstream exceeded retry limit, last status: 429 Too Many Requests",
		},
		"cut": {
			responsestest.Response{Events: []responsestest.Event{responsestest.Created("r1")}, Abort: responsestest.AbortStream},
			1,
			"codex.sse_event response.completed upstream " + disconnected + "WebSocket protocol error: Connection reset without closing handshake",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := startSocket(t, responsestest.WebSocketPlain, websocket.CompressionDisabled)
			p.mock.Once(test.response)
			p.ask(t, firstPrompt, test.answers)
			if test.response.Abort != responsestest.AbortNone {
				if _, _, err := p.conn.Read(t.Context()); err == nil {
					t.Error("Read() of a cut connection = nil; want an error")
				}
			}
			p.conn.CloseNow()
			p.close()
			lines := p.records.lines()
			if got := lines[len(lines)-1]; got != test.want {
				t.Errorf("last record %q; want %q", got, test.want)
			}
		})
	}
}

func TestWebSocketAgentLeaves(t *testing.T) {
	p := startSocket(t, responsestest.WebSocketPlain, websocket.CompressionDisabled)
	gate := responsestest.NewGate()
	p.mock.Once(responsestest.Stream(responsestest.Created("r1"), gate.Stop()))
	p.ask(t, firstPrompt, 1)
	p.conn.CloseNow()
	gate.Open() // the mock notices only now
	p.close()
	ends := p.records.ended()
	if len(ends) != 1 || ends[0].EndedBy != "client" || !ends[0].ClientGone {
		t.Errorf("ends = %+v; want one by the client", ends)
	}
}

func TestRefusedHandshakeIsTold(t *testing.T) {
	mock := responsestest.NewServer(t) // refuses with 426
	server, records := start(t, mock.BaseURL())
	if response, _ := get(t, server.URL+"/v1/responses", handshake); response.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("status = %d; want 426", response.StatusCode)
	}
	server.Close()
	if diff := cmp.Diff([]string{"codex.websocket_connect 426 false http 426"}, records.lines()); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}
