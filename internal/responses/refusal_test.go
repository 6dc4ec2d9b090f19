package responses_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// TestMessageRefusals holds what error messages are told as against what Codex
// 0.169.0 said of them.
func TestMessageRefusals(t *testing.T) {
	const message = `{"type":"error","status":%d,"error":{"message":"the message","type":"%s","param":null,"code":"%s"}}`
	whole := fmt.Sprintf(message, 400, "some_type", "x_code")
	for _, test := range []struct {
		status    int
		typ, code string
		want      string
	}{
		{400, "some_type", "x_code", whole},
		{400, "x", "context_length_exceeded", "Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying."},
		{400, "x", "invalid_prompt", "the message"},
		{400, "x", "websocket_connection_limit_reached", "stream disconnected before completion: the message"},
		{404, "x", "previous_response_not_found", "stream disconnected before completion: the message"},
		{401, "x", "", "unexpected status 401 Unauthorized: the message"},
		{413, "x", "", "unexpected status 413 Payload Too Large: the message"},
		{429, "x", "rate_limit_exceeded", "exceeded retry limit, last status: 429 Too Many Requests"},
		{429, "usage_limit_reached", "", "You’ve hit your usage limit. Try again later."},
		{429, "usage_not_included", "", "To use Codex with your ChatGPT plan, upgrade to Plus: https://chatgpt.com/explore/plus."},
		{429, "x", "insufficient_quota", "Quota exceeded. Check your plan and billing details."},
		{500, "x", "", "We’re currently experiencing high demand, which may cause temporary errors."},
		{503, "x", "", "unexpected status 503 Service Unavailable: the message"},
		{503, "x", "server_is_overloaded", "Selected model is at capacity. Please try a different model."},
		{503, "x", "slow_down", "rate limit exceeded: the message"},
		{529, "x", "", "unexpected status 529 <unknown status code>: the message"},
	} {
		records := &journal{}
		turn := responses.NewTurn(responses.TurnConfig{
			Recorder: records, Scope: &events.Scope{Profile: events.CodexProfile("0.169.0")}, ExchangeID: "x",
			Endpoint: responses.EndpointOf("POST", "/responses"), WebSocket: true,
		})
		if over := turn.Message(fmt.Appendf(nil, message, test.status, test.typ, test.code), nil, time.Unix(1, 0)); !over {
			t.Errorf("status %d, code %s: Message() = false; want the response over", test.status, test.code)
		}
		if got, want := records.lines(), "response.completed||"+test.want+"|upstream"; len(got) != 1 || got[0] != want {
			t.Errorf("status %d, code %s: told %q; want %q", test.status, test.code, got, want)
		}
	}
}

// Releases write their apostrophes in two ways.
func TestMessageRefusalOfAnOlderRelease(t *testing.T) {
	for version, want := range map[string]string{"0.152.0": "We're", "0.155.0": "We’re"} {
		records := &journal{}
		turn := responses.NewTurn(responses.TurnConfig{
			Recorder: records, Scope: &events.Scope{Profile: events.CodexProfile(version)}, ExchangeID: "x",
			Endpoint: responses.EndpointOf("POST", "/responses"), WebSocket: true,
		})
		turn.Message([]byte(`{"type":"error","status":500,"error":{"message":"m"}}`), nil, time.Unix(1, 0))
		if got := records.lines(); len(got) != 1 || !strings.Contains(got[0], want+" currently") {
			t.Errorf("%s: told %q; want it to begin with %s", version, got, want)
		}
	}
}

func TestMessageRefusalOfAnotherAgent(t *testing.T) {
	records := &journal{}
	turn := responses.NewTurn(responses.TurnConfig{
		Recorder: records, Scope: &events.Scope{}, ExchangeID: "x", Endpoint: responses.EndpointOf("POST", "/responses"), WebSocket: true,
	})
	turn.Message([]byte(`{"type":"error","status":429,"error":{"message":"slowly"}}`), nil, time.Unix(1, 0))
	if got := records.lines(); len(got) != 1 || got[0] != "response.completed||http 429: slowly|upstream" {
		t.Errorf("told %q; want the status and the message", got)
	}
}

func TestMessageWithoutAStatusIsNoRefusal(t *testing.T) {
	for _, message := range []string{`{"type":"error"}`, `{"type":"error","status":"500","error":{"message":"m"}}`} {
		records := &journal{}
		turn := responses.NewTurn(responses.TurnConfig{
			Recorder: records, Scope: &events.Scope{}, ExchangeID: "x", Endpoint: responses.EndpointOf("POST", "/responses"), WebSocket: true,
		})
		if over := turn.Message([]byte(message), nil, time.Unix(1, 0)); over || len(records.lines()) != 0 {
			t.Errorf("Message(%s) = %t, told %q; want nothing", message, over, records.lines())
		}
	}
}

// The texts are those of Codex 0.80 and 0.101.
func TestRefusalText(t *testing.T) {
	tests := []struct {
		status int
		body   string
		want   string
	}{
		{404, `{"error":{"code":null}}`, `http 404 Not Found: Some("{\"error\":{\"code\":null}}")`},
		{502, "<h1>", `http 502 Bad Gateway: Some("<h1>")`},
		{500, "", `http 500 Internal Server Error: Some("")`},
		{599, "a\nb\t\xff", `http 599 <unknown status code>: Some("a\nb\t` + "\uFFFD" + `")`},
	}
	for _, test := range tests {
		if got := responses.RefusalText(test.status, []byte(test.body)); got != test.want {
			t.Errorf("RefusalText(%d, %q) = %s; want %s", test.status, test.body, got, test.want)
		}
	}
}

// TestWarmUpTellsNoEffort: nothing is asked for yet.
func TestWarmUpTellsNoEffort(t *testing.T) {
	for _, warmsUp := range []bool{true, false} {
		records := &journal{}
		turn := responses.NewTurn(responses.TurnConfig{
			Recorder: records, Scope: &events.Scope{}, ExchangeID: "x", Endpoint: responses.EndpointOf("POST", "/responses"), WebSocket: true,
			Request: &responses.Request{WarmsUp: warmsUp, ReasoningEffort: "high", ServiceTier: "flex"},
		})
		turn.Message([]byte(`{"type":"response.completed","response":{"id":"r","usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}}`), nil, time.Unix(1, 0))
		event, ok := (*records)[0].Event.(*events.SSEEvent)
		if !ok || (event.ReasoningEffort == "") != warmsUp || (event.ServiceTier == "") != warmsUp {
			t.Errorf("warm-up %t: told %+v", warmsUp, (*records)[0].Event)
		}
	}
}
