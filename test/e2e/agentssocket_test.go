package e2e_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestAgentsOverWebSocket plays programs that speak WebSocket with each of the SDKs.
func TestAgentsOverWebSocket(t *testing.T) {
	openai, script := startPlayers(t, "openai.mjs"), startPlayers(t, "agents.mjs")
	greetTwice := func(api *responsestest.Server) {
		api.Sequence(responsestest.Stream(greeting("resp_1")...), responsestest.Stream(greeting("resp_2")...))
	}
	callAndGreet := func(api *responsestest.Server) {
		api.Sequence(responsestest.Stream(forecast("resp_1")...), responsestest.Stream(greeting("resp_2")...))
	}
	// A connection is of the first conversation on it.
	connected := prefixed("1", "connect 101 success true")
	completed := prefixed("1", "response.completed 12/4/3/1/15 by completed")
	asked, askedMore := prefixed("1", "ask success true reused false"), prefixed("1", "ask success true reused true")
	twice := slices.Concat(connected, asked, begins("1", 9), completed, askedMore, prefixed("1", "prompt of 9"), completed)
	called := slices.Concat(connected, asked, begins("1", 26), completed, askedMore, results(), completed)
	agents := map[string]agent{
		"openai": {program: openai.scenario("socket"), api: greetTwice, want: twice},
		"twins": {
			program: openai.scenario("socketTwins"), api: greetTwice,
			want: slices.Concat(connected, asked, begins("1", 9), completed,
				prefixed("2", "ask success true reused true"), begins("2", 9),
				prefixed("2", "response.completed 12/4/3/1/15 by completed")),
		},
		"agents":         {program: script.scenario("socket"), api: callAndGreet, want: called},
		"agents deflate": {program: script.scenario("socket"), api: callAndGreet, want: called, socket: responsestest.WebSocketDeflate},
		"go":             {program: goAgent(goSocket), api: greetTwice, want: twice},
		"error": {
			program: openai.scenario("socketError"),
			api: func(api *responsestest.Server) {
				api.Once(responsestest.Error(http.StatusTooManyRequests, "requests", "rate_limit_exceeded", "slow down"))
			},
			failures: []string{"WebSocketError"},
			want: slices.Concat(connected, asked, begins("1", 9), prefixed("1",
				"response.completed by upstream: http 429: slow down (ERROR)",
			)),
		},
	}
	for name, a := range agents {
		t.Run(name, func(t *testing.T) {
			if a.socket == responsestest.WebSocketRefused {
				a.socket = responsestest.WebSocketPlain
			}
			a.check(t)
		})
	}
}
