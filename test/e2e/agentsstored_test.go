package e2e_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestOpenAINodeStored plays programs that work with responses which the API keeps, and that ask for other things than text.
func TestOpenAINodeStored(t *testing.T) {
	script := startPlayers(t, "openai.mjs")
	for name, a := range storedAgents() {
		t.Run(name, func(t *testing.T) {
			a.program = script.scenario(name)
			a.check(t)
		})
	}
}

// storedAgents returns what the API answers, by the names of scenarios in openai.mjs.
func storedAgents() map[string]agent {
	const path = "/v1/responses/resp_1"
	greet := greeting("resp_1")
	read := prefixed("1", "GET /responses/{id} 200 attempt 0")
	gone := responsestest.Error(http.StatusNotFound, "invalid_request_error", "", "no such response")
	return map[string]agent{
		"background": {
			api: func(api *responsestest.Server) {
				api.Once(stored("resp_1", "queued"))
				api.Route(http.MethodGet, path, stored("resp_1", "in_progress")).Times(1)
				api.Route(http.MethodGet, path, stored("resp_1", "completed")).Times(1)
			},
			want: prefixed("1",
				"starts",
				"prompt of 9",
				"POST /responses 200 attempt 0",
				"GET /responses/{id} 200 attempt 0",
				"GET /responses/{id} 200 attempt 0",
				"response.completed 12/4/3/1/15 by completed",
			),
		},
		// The stream is left after four events and read from the fifth.
		"resume": {
			api: func(api *responsestest.Server) {
				api.Once(responsestest.Stream(slices.Insert(slices.Clone(greet), 4, never())...))
				api.Route(http.MethodGet, path, responsestest.Stream(greet[4:]...)).Times(1)
			},
			want: prefixed("1",
				"starts",
				"prompt of 9",
				"POST /responses 200 attempt 0",
				"response.created",
				"response.output_item.added",
				"response.content_part.added",
				"response.output_text.delta",
				"end by client: the agent closed the stream before it was complete",
				"GET /responses/{id} 200 attempt 0",
				"response.output_text.delta",
				"response.output_text.done",
				"response.content_part.done",
				"response.output_item.done",
				"response.completed 12/4/3/1/15 by completed",
			),
		},
		// The tokens were told when they were spent.
		"reread": {
			api: func(api *responsestest.Server) {
				api.Once(responsestest.Stream(greet...))
				api.Route(http.MethodGet, path, responsestest.Stream(greet...)).Times(1)
				api.Route(http.MethodGet, path, stored("resp_1", "completed")).Times(1)
			},
			want: slices.Concat(
				begins("1", 9), asks("1", 0), greeted(), read, greeted()[:7], prefixed("1", "response.completed by completed"), read,
			),
		},
		"cancel": {
			api: func(api *responsestest.Server) {
				api.Once(stored("resp_1", "queued"))
				api.Route(http.MethodPost, path+"/cancel", stored("resp_1", "cancelled")).Times(1)
				api.Route(http.MethodPost, path+"/cancel",
					responsestest.Error(http.StatusBadRequest, "invalid_request_error", "", "it is over")).Times(1)
			},
			failures: []string{"BadRequestError"},
			want: prefixed("1",
				"starts",
				"prompt of 9",
				"POST /responses 200 attempt 0",
				"POST /responses/{id}/cancel 200 attempt 0",
				"POST /responses/{id}/cancel 400 attempt 0: http 400 (ERROR)",
			),
		},
		"remove": {
			api: func(api *responsestest.Server) {
				api.Once(stored("resp_1", "completed"))
				api.Route(http.MethodDelete, path, document(`{"id":"resp_1","object":"response","deleted":true}`)).Times(1)
				api.Route(http.MethodGet, path, gone).Times(1)
			},
			failures: []string{"NotFoundError"},
			want: slices.Concat(begins("1", 9), created("1", 0), prefixed("1",
				"DELETE /responses/{id} 200 attempt 0",
				"GET /responses/{id} 404 attempt 0: http 404 (ERROR)",
			)),
		},
		"compact": {
			api: func(api *responsestest.Server) {
				api.Route(http.MethodPost, "/v1/responses/compact", document(`{"id":"resp_1","object":"response.compaction","created_at":1,`+
					`"output":[{"id":"cmp_1","type":"compaction","encrypted_content":"gAAA"}],"usage":{"input_tokens":12,`+
					`"input_tokens_details":{"cached_tokens":4},"output_tokens":3,"output_tokens_details":{"reasoning_tokens":1},"total_tokens":15}}`)).Times(1)
			},
			want: prefixed("1", "POST /responses/compact 200 attempt 0", "response.completed 12/4/3/1/15 by completed"),
		},
		// To count tokens costs none.
		"count": {
			api: func(api *responsestest.Server) {
				api.Route(http.MethodPost, "/v1/responses/input_tokens", document(`{"object":"response.input_tokens","input_tokens":11}`)).Times(1)
			},
			want: prefixed("1", "POST /responses/input_tokens 200 attempt 0"),
		},
		// The list of items and the embedding are not for a model that generates.
		"others": {
			api: func(api *responsestest.Server) {
				api.Route(http.MethodGet, path+"/input_items", document(`{"object":"list","data":[{"id":"msg_0","type":"message",`+
					`"role":"user","content":[{"type":"input_text","text":"say hello"}]}],"has_more":false}`)).Times(1)
				api.Route(http.MethodGet, "/v1/models", document(`{"object":"list","data":[{"id":"gpt-5","object":"model"}]}`)).Times(1)
				api.Route(http.MethodPost, "/v1/embeddings", document(`{"object":"list","data":[{"object":"embedding","index":0,`+
					`"embedding":"AACAPw=="}],"model":"text-embedding-3-small","usage":{"prompt_tokens":1,"total_tokens":1}}`)).Times(1)
			},
			want: prefixed("1", "GET /models 200 attempt 0"),
		},
	}
}
