package e2e_test

import (
	"slices"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestAgentsOverWebSocket plays programs that speak WebSocket with each of the SDKs.
func TestAgentsOverWebSocket(t *testing.T) {
	openai, agents := startPlayers(t, "openai.mjs"), startPlayers(t, "agents.mjs")
	greetTwice := func(api *responsestest.Server) {
		api.Sequence(responsestest.Stream(greeting("resp_1")...), responsestest.Stream(greeting("resp_2")...))
	}
	callAndGreet := func(api *responsestest.Server) {
		api.Sequence(responsestest.Stream(forecast("resp_1")...), responsestest.Stream(greeting("resp_2")...))
	}
	tests := map[string]struct {
		program program
		api     func(*responsestest.Server)
		socket  responsestest.WebSocket
	}{
		"openai":         {openai.scenario("socket"), greetTwice, responsestest.WebSocketPlain},
		"agents":         {agents.scenario("socket"), callAndGreet, responsestest.WebSocketPlain},
		"agents deflate": {agents.scenario("socket"), callAndGreet, responsestest.WebSocketDeflate},
		"go":             {goAgent(goSocket), greetTwice, responsestest.WebSocketPlain},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			completion := prefixed("1", "response.completed 12/4/3/1/15 by completed")
			a := agent{
				program: test.program, api: test.api, socket: test.socket,
				want:    slices.Concat(completion, completion),
				pending: "the content of WebSocket is not looked into",
			}
			a.check(t)
		})
	}
}
