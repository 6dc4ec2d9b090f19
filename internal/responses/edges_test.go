package responses_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// A delta that cannot be read is told, also where deltas are thinned out.
func TestTurnDetailTellsFailures(t *testing.T) {
	for _, detail := range []responses.Detail{responses.DetailLifecycle, responses.DetailCompleted} {
		got := run("", detail, responses.EndpointOf("POST", "/responses"), responses.Ending{By: "completed"},
			"response.output_text.delta", "{", "response.completed", completed)
		want := []string{"response.output_text.delta|10|EOF while parsing an object at line 1 column 1", "response.completed|10||3/1/5/2/9|completed"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("detail %d (-want +got):\n%s", detail, diff)
		}
	}
}

// The first item is what the time to it is about.
func TestTurnTimeToTheFirstItem(t *testing.T) {
	records := &journal{}
	turn := responses.NewTurn(responses.TurnConfig{
		Recorder: records, Scope: &events.Scope{}, Start: start, Endpoint: responses.EndpointOf("POST", "/responses"),
	})
	for i, event := range []string{"response.output_item.added", "response.output_item.added", "response.completed"} {
		data := `{"type":"response.output_item.added","item":{}}`
		if event == "response.completed" {
			data = completed
		}
		turn.Event(responses.StreamEvent{Name: []byte(event), Data: []byte(data), At: start.Add(time.Duration(i+1) * 10 * time.Millisecond)})
	}
	last, ok := (*records)[len(*records)-1].Event.(*events.SSEEvent)
	if !ok || last.TTFTMS.Value != 10 {
		t.Errorf("last event %+v; want ttft_ms 10", last)
	}
}

// A response in the background is not complete when it is queued.
func TestDocumentsUnderWayAreNotTold(t *testing.T) {
	for status, want := range map[string]int{"queued": 0, "in_progress": 0, "completed": 1} {
		records := &journal{}
		turn := responses.NewTurn(responses.TurnConfig{
			Recorder: records, Scope: &events.Scope{}, Start: start, Endpoint: responses.EndpointOf("POST", "/responses"),
		})
		turn.Document([]byte(`{"id":"r1","status":"`+status+`","usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}`), nil,
			responses.Ending{By: "completed", At: start})
		if got := len(records.lines()); got != want {
			t.Errorf("a document that is %s gives %d records; want %d", status, got, want)
		}
	}
}

func TestEndpointsOfStoredResponses(t *testing.T) {
	for _, test := range []struct{ method, path, want string }{
		{"GET", "/responses/r1", "/responses/{id}"},
		{"DELETE", "/responses/r1", "/responses/{id}"},
		{"POST", "/responses/r1/cancel", "/responses/{id}/cancel"},
		{"POST", "/responses/r1", ""},
		{"GET", "/responses/r1/cancel", ""},
		{"GET", "/responses", ""},
		{"POST", "/responses/", "/responses"},
		{"DELETE", "/models", ""},
	} {
		endpoint := responses.EndpointOf(test.method, test.path)
		if endpoint.Path != test.want || endpoint.Generates != (test.want == "/responses") {
			t.Errorf("EndpointOf(%s, %s) = %+v; want %q", test.method, test.path, endpoint, test.want)
		}
	}
}
