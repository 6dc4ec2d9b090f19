package responses_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// TestTurnInventsNoTokens has counts that look like those of a response.
func TestTurnInventsNoTokens(t *testing.T) {
	const head = `{"type":"response.completed","response":{"id":"r1",`
	for name, test := range map[string]struct{ data, tail, want string }{
		"the last of a name counts": {head + `"usage":{"input_tokens":1,"output_tokens":5,"input_tokens":3},"usage":{"input_tokens":4,"output_tokens":5}}}`, "", "4//5//0"},
		"and within":                {head + `"usage":{"input_tokens":1,"output_tokens":5,"input_tokens":3}}}`, "", "3//5//0"},
		"beyond 64 bits":            {head + `"usage":{"input_tokens":99999999999999999999,"output_tokens":5,"total_tokens":1e30}}}`, "", "0//5//0"},
		"cut within a number":       {head + `"usage":{"input_tokens":12`, `34,"output_tokens":5}}}`, ""},
		"cut within, and again":     {head + `"usage":{"input_tokens":12`, `34},"usage":{"input_tokens":3,"output_tokens":5}}}`, "3//5//0"},
		"of a part of the response": {head, `"usage":null,"tools":[{"usage":{"input_tokens":3,"output_tokens":5}}]}}`, ""},
		"of the event":              {head, `"usage":null},"usage":{"input_tokens":3,"output_tokens":5}}`, ""},
		"behind others": {
			head, `"usage" : {"input_tokens":3,"output_tokens":5},"text":"}","tools":[{"usage":{"input_tokens":4}}]},"usage":{"input_tokens":6}}`, "3//5//0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			records := &journal{}
			turn := responses.NewTurn(responses.TurnConfig{Recorder: records, Scope: &events.Scope{}, Start: start, Endpoint: responses.EndpointOf("POST", "/responses")})
			event := responses.StreamEvent{Name: []byte("response.completed"), Data: []byte(test.data), At: start}
			if test.tail != "" {
				event.Tail = []byte(test.tail)
			}
			turn.Event(event)
			want := "response.completed|0||"
			if test.want != "" {
				want += test.want + "|"
			}
			if diff := cmp.Diff([]string{want + "completed"}, records.lines()); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}
