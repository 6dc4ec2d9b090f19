package responses_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// listener writes down what a Turn shows it.
type listener struct {
	named []string
	calls []responses.Call
	kinds []responses.Kind
	times []time.Time

	charges []responses.Charge
	paid    bool // the tokens were told elsewhere
}

func (l *listener) Named(id string) { l.named = append(l.named, id) }

func (l *listener) Item(item *responses.Item, at time.Time) {
	l.kinds = append(l.kinds, item.Kind)
	l.times = append(l.times, at)
	if item.Kind == responses.KindCall {
		l.calls = append(l.calls, item.Call())
	}
}

func (l *listener) Charge(c responses.Charge) bool {
	l.charges = append(l.charges, c)
	return !l.paid
}

func listen(endpoint responses.Endpoint) (*listener, *responses.Turn) {
	l := new(listener)
	return l, responses.NewTurn(responses.TurnConfig{
		Recorder: events.Discard{}, Scope: &events.Scope{Resource: &events.Resource{}, Profile: events.CodexProfile("0.169.0")},
		ExchangeID: "x", Start: start, Endpoint: endpoint, Items: l,
	})
}

func sse(turn *responses.Turn, name, data string, at time.Time) {
	turn.Event(responses.StreamEvent{Name: []byte(name), Data: []byte(data), At: at})
}

func TestTurnShowsItems(t *testing.T) {
	items := []string{
		`{"type":"reasoning","id":"rs_1","summary":[]}`,
		`{"type":"function_call","id":"fc_1","call_id":"a","name":"exec_command","arguments":"{\"cmd\":\"ls\"}","namespace":"mcp__x"}`,
		`{"type":"custom_tool_call","call_id":"b","name":"apply_patch","input":"*** Begin\nPatch"}`,
		`{"type":"local_shell_call","id":"c","action":{"type":"exec","command":["bash","-lc","echo \"x\""]}}`,
		`{"type":"web_search_call","id":"ws_1","action":{"type":"search","query":"x"}}`,
		`{"type":"message","role":"assistant","content":[]}`,
	}
	want := []responses.Call{
		{ID: "a", Name: "exec_command", Namespace: "mcp__x", Arguments: `{"cmd":"ls"}`},
		{ID: "b", Name: "apply_patch", Arguments: "*** Begin\nPatch"},
		{ID: "c", Name: "local_shell", Arguments: `bash -lc echo "x"`},
	}
	kinds := []responses.Kind{
		responses.KindModel, responses.KindCall, responses.KindCall, responses.KindCall, responses.KindModel, responses.KindModel,
	}
	completed := `{"type":"response.completed","response":{"id":"resp_1","output":[` + strings.Join(items, ",") + `],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}}`
	endpoint := responses.EndpointOf("POST", "/responses")
	check := func(t *testing.T, l *listener) {
		t.Helper()
		if diff := cmp.Diff(want, l.calls); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(kinds, l.kinds); diff != "" {
			t.Errorf("kinds (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"resp_1"}, l.named); diff != "" {
			t.Errorf("named (-want +got):\n%s", diff)
		}
	}
	t.Run("as they are done", func(t *testing.T) {
		l, turn := listen(endpoint)
		sse(turn, "response.created", `{"type":"response.created","response":{"id":"resp_1"}}`, start)
		for i, item := range items {
			at := start.Add(time.Duration(i) * time.Second)
			sse(turn, "response.output_item.done", `{"type":"response.output_item.done","output_index":0,"item":`+item+`}`, at)
			if !l.times[i].Equal(at) {
				t.Errorf("item %d at %s; want %s", i, l.times[i], at)
			}
		}
		sse(turn, "response.completed", completed, start.Add(time.Minute))
		check(t, l)
	})
	t.Run("with the completion", func(t *testing.T) {
		l, turn := listen(endpoint)
		sse(turn, "response.output_item.done", `{"type":"response.output_item.done","item":`+items[0]+`}`, start)
		sse(turn, "response.completed", completed, start.Add(time.Minute))
		check(t, l)
	})
	t.Run("in a document", func(t *testing.T) {
		l, turn := listen(endpoint)
		document := `{"id":"resp_1","status":"completed","output":[` + strings.Join(items, " , ") + `],"usage":{"input_tokens":1,"output_tokens":1}}`
		turn.Document([]byte(document), nil, responses.Ending{By: "completed", At: start})
		check(t, l)
	})
}

// What is not an item, or only the beginning of one, breaks nothing.
func TestTurnShowsNothingElse(t *testing.T) {
	l, turn := listen(responses.EndpointOf("POST", "/responses"))
	for _, data := range []string{
		`{"type":"response.output_item.done"}`, `{"type":"response.output_item.done","item":7}`,
		`{"type":"response.output_item.done","item":{"type":"function_call","call_id":7,"name":null,"arguments":{}}}`,
	} {
		sse(turn, "response.output_item.done", data, start)
	}
	if diff := cmp.Diff([]responses.Call{{Name: "function"}}, l.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
