package proxy_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestConversationIsTold has an agent call a tool and give back its output: what
// the requests have that is new is told before the request, and once.
func TestConversationIsTold(t *testing.T) {
	upstream := responsestest.NewServer(t)
	upstream.Sequence(
		responsestest.Stream(
			responsestest.Created("resp_1"),
			responsestest.FunctionCall("call_1", "shell", `{"command":["ls"]}`),
			responsestest.CompletedWithTokens("resp_1", responsestest.Usage{Input: 1, Output: 1, Total: 2}),
		),
		responsestest.Error(500, "server_error", "", "no"),
		responsestest.Stream(
			responsestest.Created("resp_2"),
			responsestest.Message("msg_1", "done"),
			responsestest.CompletedWithTokens("resp_2", responsestest.Usage{Input: 1, Output: 1, Total: 2}),
		),
	)
	server, records := start(t, upstream.BaseURL())
	const (
		prompt = `{"type":"message","role":"user","content":[{"type":"input_text","text":"say hello, wörld"}]}`
		answer = `,{"type":"function_call","name":"shell","arguments":"{\"command\":[\"ls\"]}","call_id":"call_1"},` +
			`{"type":"function_call_output","call_id":"call_1","output":"Exit code: 1\nWall time: 0.2 seconds\nOutput:\nno\n"}`
	)
	for _, input := range []string{prompt, prompt + answer, prompt + answer} {
		response := post(t, server.URL+"/v1/responses", `{"model":"m","input":[`+input+`],"stream":true}`, codexHeader)
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Fatal(err)
		}
	}
	server.Close()

	var got []string
	for _, r := range records.all() {
		switch event := r.Event.(type) {
		case *events.SSEEvent:
			continue
		case *events.APIRequest:
			got = append(got, fmt.Sprint("request ", event.StatusCode.Value))
		case *events.UserPrompt:
			got = append(got, fmt.Sprint("prompt ", event.Length, " ", event.Prompt.Value))
		case *events.ToolDecision:
			got = append(got, fmt.Sprint("decision ", event.CallID, " ", event.Decision))
		case *events.ToolResult:
			got = append(got, fmt.Sprint("result ", event.CallID.Value, " ", event.Arguments.Value, " ", event.Success, " ", event.DurationMS.Value))
		default:
			got = append(got, r.Event.EventName())
		}
		if r.Scope.ConversationID != "conv-1" {
			t.Errorf("conversation.id = %q; want conv-1", r.Scope.ConversationID)
		}
	}
	want := []string{
		"codex.conversation_starts", "prompt 16 say hello, wörld", "request 200",
		"decision call_1 approved", `result call_1 {"command":["ls"]} false 200`, "request 500",
		"request 200",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}
