package e2e_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestOpenAINodeChat plays programs that use Chat Completions.
func TestOpenAINodeChat(t *testing.T) {
	const path = "/v1/chat/completions"
	script := startPlayers(t, "openai.mjs")
	asked := prefixed("1", "POST /chat/completions 200 attempt 0")
	agents := map[string]agent{
		"chat": {
			api:  func(api *responsestest.Server) { api.Route(http.MethodPost, path, document(chatCompletion)).Times(1) },
			want: slices.Concat(asked, prefixed("1", "response.completed 12/4/3/1/15 by completed")),
		},
		"chatStream": {
			api: func(api *responsestest.Server) {
				api.Route(http.MethodPost, path, responsestest.Stream(chatChunks("", chatHello, chatStop)...)).Times(1)
			},
			want: slices.Concat(asked, prefixed("1", "message", "message", "message")),
		},
		"chatUsage": {
			api: func(api *responsestest.Server) {
				api.Route(http.MethodPost, path, responsestest.Stream(chatChunks(chatUsage, chatHello, chatStop)...)).Times(1)
			},
			want: slices.Concat(asked, prefixed("1", "message", "message", "message 12/4/3/1/15", "message")),
		},
	}
	for name, a := range agents {
		t.Run(name, func(t *testing.T) {
			a.program = script.scenario(name)
			a.check(t)
		})
	}
}

// The parts of answers of Chat Completions.
const (
	chatUsage = `{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15,` +
		`"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":1}}`
	chatCompletion = `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-5","choices":[{"index":0,` +
		`"message":{"role":"assistant","content":"Hello","refusal":null},"finish_reason":"stop"}],"usage":` + chatUsage + `}`
	chatHello = `{"index":0,"delta":{"role":"assistant","content":"Hello"},"finish_reason":null}`
	chatStop  = `{"index":0,"delta":{},"finish_reason":"stop"}`
)

// chatChunks is a stream of Chat Completions with a choice in each chunk, as it comes with and without include_usage.
func chatChunks(usage string, choices ...string) []responsestest.Event {
	const head = `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-5","choices":[`
	var events []responsestest.Event
	for _, choice := range choices {
		end := "]}"
		if usage != "" {
			end = `],"usage":null}`
		}
		events = append(events, responsestest.Event{Data: head + choice + end})
	}
	if usage != "" {
		events = append(events, responsestest.Event{Data: head + `],"usage":` + usage + "}"})
	}
	return append(events, responsestest.Done())
}
