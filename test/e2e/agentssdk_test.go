package e2e_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestAgentsSDK plays an agent of the @openai/agents package with one tool over HTTP. It names no conversation, but repeats what
// was said.
func TestAgentsSDK(t *testing.T) {
	const chat = "/v1/chat/completions"
	script := startPlayers(t, "agents.mjs")
	chatAsks := "POST /chat/completions 200 attempt 0"
	calls := `{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"call_1","type":"function",` +
		`"function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}]},"finish_reason":null}`
	called := `{"index":0,"delta":{},"finish_reason":"tool_calls"}`
	agents := map[string]agent{
		"run": {
			api: func(api *responsestest.Server) {
				api.Sequence(responsestest.CompletedJSON("resp_1", tokens, weather()...), stored("resp_2", "completed"))
			},
			want: slices.Concat(begins("1", 26), created("1", 0), results(), created("1", 0)),
		},
		"stream": {
			api: func(api *responsestest.Server) {
				api.Sequence(responsestest.Stream(forecast("resp_1")...), responsestest.Stream(greeting("resp_2")...))
			},
			want: slices.Concat(begins("1", 26), asks("1", 0), forecasted(), results(), asks("1", 0), greeted()),
		},
		"chatStream": {
			api: func(api *responsestest.Server) {
				api.Route(http.MethodPost, chat, responsestest.Stream(chatChunks(chatUsage, calls, called)...)).Times(1)
				api.Route(http.MethodPost, chat, responsestest.Stream(chatChunks(chatUsage, chatHello, chatStop)...)).Times(1)
			},
			want: slices.Concat(
				prefixed("1", chatAsks, "message", "message", "message 12/4/3/1/15", "message"),
				prefixed("2", chatAsks, "message", "message", "message 12/4/3/1/15", "message"),
			),
		},
	}
	for name, a := range agents {
		t.Run(name, func(t *testing.T) {
			a.program = script.scenario(name)
			a.check(t)
		})
	}
}
