package proxy_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/proxy"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestWebSocketMessagesAreTold has a Codex that tells of every message fail and try again: the credential that the upstream
// quotes is taken out, and what comes between two requests is told with the second.
func TestWebSocketMessagesAreTold(t *testing.T) {
	mock, err := responsestest.Start(responsestest.Options{TB: t, WebSocket: responsestest.WebSocketPlain})
	if err != nil {
		t.Fatal(err)
	}
	mock.Sequence(
		responsestest.Stream(responsestest.Created("r1"), responsestest.Failed("r1", "invalid_api_key", "no such key: "+canary)),
		responsestest.Stream(responsestest.TextDelta("hi"), responsestest.Completed("r2"), responsestest.Event{Data: `{"type":"late"}`}),
		responsestest.Stream(responsestest.Created("r3"), responsestest.Completed("r3")),
	)
	base, err := url.Parse(mock.BaseURL())
	if err != nil {
		t.Fatal(err)
	}
	records := &journal{}
	handler, err := proxy.New(proxy.Config{BaseURL: base, Recorder: records, Messages: true})
	if err != nil {
		t.Fatal(err)
	}
	records.settle = handler.Settle
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.Close()
		handler.Close()
	})
	header := http.Header{"User-Agent": {"codex_exec/0.141.0 (Debian 12.0.0; x86_64) xterm"}, "Authorization": {"Bearer " + canary}}
	conn, _, err := websocket.Dial(t.Context(), server.URL+"/v1/responses", &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	p := &socketPair{conn: conn}
	p.ask(t, firstPrompt, 2)
	p.ask(t, firstPrompt, 3)
	p.ask(t, firstPrompt, 2)
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	server.Close()
	if err := handler.Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records.all() {
		switch e := r.Event.(type) {
		case *events.WebSocketEvent:
			got = append(got, fmt.Sprintf("%s %t %s", e.Kind, e.Success, e.ErrorMessage))
			if e.DurationMS < 0 || e.DurationMS > 10*time.Second.Milliseconds() {
				t.Errorf("%s took %d ms; want a few", e.Kind, e.DurationMS)
			}
		case *events.WebSocketRequest, *events.SSEEvent:
			got = append(got, r.Event.EventName())
		}
	}
	want := []string{
		"codex.websocket_request", "response.created true ",
		`response.failed false {"code":"invalid_api_key","message":"no such key: [CREDENTIAL]"}`, "codex.sse_event",
		"codex.websocket_request", "response.output_text.delta true ", "response.completed true ", "codex.sse_event",
		"codex.websocket_request", "late true ", "response.created true ", "response.completed true ", "codex.sse_event",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}
