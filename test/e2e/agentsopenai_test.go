package e2e_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestOpenAINode plays programs that ask the model for something with the openai package for Node.js.
func TestOpenAINode(t *testing.T) {
	script := startPlayers(t, "openai.mjs")
	for name, a := range openAIAgents() {
		t.Run(name, func(t *testing.T) {
			a.program = script.scenario(name)
			a.check(t)
		})
	}
}

// openAIAgents returns what the API answers, by the names of scenarios in openai.mjs.
func openAIAgents() map[string]agent {
	hello, hello2, hello3 := stored("resp_1", "completed"), stored("resp_2", "completed"), stored("resp_3", "completed")
	greet := responsestest.Stream(greeting("resp_1")...)
	return map[string]agent{
		"create": {
			api:  func(api *responsestest.Server) { api.Once(hello) },
			want: slices.Concat(begins("1", 9), created("1", 0)),
		},
		"stream": {
			api:  func(api *responsestest.Server) { api.Once(greet) },
			want: slices.Concat(begins("1", 9), asks("1", 0), greeted()),
		},
		"helper": {
			api:  func(api *responsestest.Server) { api.Once(greet) },
			want: slices.Concat(begins("1", 9), asks("1", 0), greeted()),
		},
		// Two that are equal and have nothing to do with each other.
		"twins": {
			api:  func(api *responsestest.Server) { api.Sequence(hello, hello2) },
			want: slices.Concat(begins("1", 9), created("1", 0), begins("2", 9), created("2", 0)),
		},
		"keyed": {
			api: func(api *responsestest.Server) { api.Sequence(hello, hello2, hello3, stored("resp_4", "completed")) },
			want: slices.Concat(
				begins("1", 9), created("1", 0), begins("2", 9), created("2", 0),
				prefixed("1", "prompt of 9"), created("1", 0), prefixed("2", "prompt of 6"), created("2", 0),
			),
		},
		"chain": {
			api: func(api *responsestest.Server) {
				api.Sequence(responsestest.CompletedJSON("resp_1", tokens, weather()...), hello2)
			},
			want: slices.Concat(begins("1", 26), created("1", 0), results(), created("1", 0)),
		},
		// Nothing links the two but what the second repeats of the answer to the first.
		"history": {
			api: func(api *responsestest.Server) {
				api.Sequence(responsestest.Stream(forecast("resp_1")...), responsestest.Stream(greeting("resp_2")...))
			},
			want: slices.Concat(begins("1", 26), asks("1", 0), forecasted(), results(), asks("1", 0), greeted()),
		},
	}
}

// TestOpenAINodeFails plays programs whose requests fail, or that give up.
func TestOpenAINodeFails(t *testing.T) {
	script := startPlayers(t, "openai.mjs")
	for name, a := range failingAgents() {
		t.Run(name, func(t *testing.T) {
			a.program = script.scenario(name)
			a.check(t)
		})
	}
}

// failingAgents returns what the API answers, by the names of scenarios in openai.mjs.
func failingAgents() map[string]agent {
	hello := stored("resp_1", "completed")
	broken := responsestest.Error(http.StatusInternalServerError, "server_error", "", "no")
	limited := responsestest.Error(http.StatusTooManyRequests, "requests", "rate_limit_exceeded", "slow down")
	const brokenBody = "Transport error: network error: error decoding response body"
	begun := slices.Concat(begins("1", 9), asks("1", 0), prefixed("1", "response.created"))
	left := slices.Concat(begun, prefixed("1",
		"response.output_item.added",
		"response.content_part.added",
		"response.output_text.delta",
		"end by client: the agent closed the stream before it was complete",
	))
	stops := responsestest.Stream(slices.Insert(greeting("resp_1"), 4, never())...)
	stalls := hello
	stalls.Events, stalls.Body = []responsestest.Event{responsestest.Raw(string(hello.Body[:20])), never()}, nil
	return map[string]agent{
		"retry": {
			api: func(api *responsestest.Server) { api.Sequence(soon(broken), soon(limited), hello) },
			want: slices.Concat(begins("1", 9), []string{
				"1 POST /responses 500 attempt 0: http 500 (ERROR)",
				"1 POST /responses 429 attempt 1: http 429 (ERROR)",
			}, created("1", 2)),
		},
		// The SDK sees a connection that broke, or a 502 of the proxy, and asks again after either.
		"dropped": {
			api: func(api *responsestest.Server) {
				api.Sequence(responsestest.Response{Abort: responsestest.AbortBeforeHeaders}, hello)
			},
			want: slices.Concat(begins("1", 9), []string{
				"1 POST /responses unanswered attempt 0: the upstream closed the connection before it answered (ERROR)",
			}, created("1", 1)),
		},
		"exhausted": {
			api:      func(api *responsestest.Server) { api.Any(soon(limited)).Times(2) },
			failures: []string{"RateLimitError"},
			want: slices.Concat(begins("1", 9), []string{
				"1 POST /responses 429 attempt 0: http 429 (ERROR)",
				"1 POST /responses 429 attempt 1: http 429 (ERROR)",
			}),
		},
		"refused": {
			api: func(api *responsestest.Server) {
				api.Once(responsestest.Error(http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "who are you?"))
			},
			failures: []string{"AuthenticationError"},
			want:     append(begins("1", 9), "1 POST /responses 401 attempt 0: http 401 (ERROR)"),
		},
		"failed": {
			api: func(api *responsestest.Server) {
				api.Once(responsestest.Stream(responsestest.Created("resp_1"), responsestest.Failed("resp_1", "server_error", "no")))
			},
			want: slices.Concat(begun, prefixed("1",
				`response.failed: {"type":"response.failed","response":{"id":"resp_1","object":"response","status":"failed",`+
					`"error":{"code":"server_error","message":"no"},"output":[],"usage":null}} (ERROR)`,
				"response.completed by upstream: stream disconnected before completion: no (ERROR)",
			)),
		},
		"cut": {
			api: func(api *responsestest.Server) {
				api.Once(responsestest.Response{Events: []responsestest.Event{responsestest.Created("resp_1")}, Abort: responsestest.AbortStream})
			},
			failures: []string{"TypeError"},
			want: slices.Concat(begun, prefixed("1",
				"end: "+brokenBody+" (ERROR)",
				"response.completed by upstream: stream disconnected before completion: "+brokenBody+" (ERROR)",
			)),
		},
		"abort": {api: func(api *responsestest.Server) { api.Once(stops) }, want: left},
		"leave": {api: func(api *responsestest.Server) { api.Once(stops) }, want: left},
		"timeout": {
			api:      func(api *responsestest.Server) { api.Any(responsestest.Response{Hold: make(chan struct{})}).Times(2) },
			failures: []string{"APIConnectionTimeoutError"},
			want: slices.Concat(begins("1", 9), []string{
				"1 POST /responses unanswered attempt 0: the agent gave up before the response",
				"1 POST /responses unanswered attempt 1: the agent gave up before the response",
			}),
		},
		// The headers come, the document does not.
		"stall": {
			api:  func(api *responsestest.Server) { api.Sequence(stalls, hello) },
			want: slices.Concat(begins("1", 9), asks("1", 0), created("1", 1)),
		},
	}
}
