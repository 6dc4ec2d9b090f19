package responses_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

type journal []events.Record

func (j *journal) Record(r events.Record) { *j = append(*j, r) }

// lines renders what a test compares: kind, error, tokens, end.
func (j *journal) lines() []string {
	var lines []string
	for _, r := range *j {
		e, ok := r.Event.(*events.SSEEvent)
		if !ok {
			continue
		}
		line := e.Kind.String() + "|" + e.DurationMS.String() + "|" + e.ErrorMessage
		if e.Usage != nil {
			line += fmt.Sprintf("|%d/%s/%d/%s/%d", e.Input, e.Cached, e.Output, e.Reasoning, e.Total)
		}
		if e.EndedBy != "" {
			line += "|" + e.EndedBy
		}
		lines = append(lines, line)
	}
	return lines
}

var start = time.Unix(1000, 0)

// run feeds name, data pairs 10 ms apart and then the ending.
func run(version string, detail responses.Detail, endpoint responses.Endpoint, end responses.Ending, pairs ...string) []string {
	records := &journal{}
	profile := events.Profile{}
	if version != "" {
		profile = events.CodexProfile(version)
	}
	turn := responses.NewTurn(responses.TurnConfig{
		Recorder: records, Scope: &events.Scope{Profile: profile}, ExchangeID: "x", Start: start,
		Endpoint: endpoint, Detail: detail, CFRay: "ray-1",
	})
	at := start
	for i := 0; i < len(pairs); i += 2 {
		at = at.Add(10 * time.Millisecond)
		turn.Event(responses.StreamEvent{Name: []byte(pairs[i]), Data: []byte(pairs[i+1]), At: at})
	}
	end.At = at.Add(30 * time.Millisecond)
	turn.End(end)
	return records.lines()
}

const (
	created   = `{"type":"response.created","response":{"id":"r1"}}`
	delta     = `{"type":"response.output_text.delta","delta":"hi"}`
	completed = `{"type":"response.completed","response":{"id":"r1","usage":{"input_tokens":3,"input_tokens_details":{"cached_tokens":1},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":9}}}`
	failed    = `{"type":"response.failed", "response":{"id":"r1","error":{"code":"server_error","message":"we failed"}}}`
	stopped   = `{"type":"response.incomplete","response":{"id":"r1","incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":3,"output_tokens":5,"total_tokens":8}}}`
)

func TestTurn(t *testing.T) {
	eof, cut := responses.Ending{By: "upstream"}, responses.Ending{By: "upstream", Err: errors.New("unexpected EOF")}
	client, idle := responses.Ending{By: "client"}, responses.Ending{By: "idle"}
	streams := responses.EndpointOf("POST", "/responses")
	const gone = "stream disconnected before completion: "
	tests := map[string]struct {
		version string
		end     responses.Ending
		events  []string
		want    []string
	}{
		"completed": {
			"",
			responses.Ending{By: "completed"},
			[]string{"response.created", created, "response.output_text.delta", delta, "response.completed", completed},
			[]string{"response.created|10|", "response.output_text.delta|10|", "response.completed|10||3/1/5/2/9|completed"},
		},
		"after the completion, current": {
			"0.169.0",
			responses.Ending{By: "completed"},
			[]string{"response.completed", completed, "", "[DONE]"},
			[]string{"response.completed|10||3/1/5/2/9|completed"},
		},
		"after the completion, seed": {
			"0.80.0",
			responses.Ending{By: "completed"},
			[]string{"response.completed", completed, "", "[DONE]"},
			[]string{"response.completed|10|", "message|10|", "response.completed|||3/1/5/2/9|completed"},
		},
		"failed": {
			"0.45.0", eof,
			[]string{"response.failed", failed},
			[]string{
				`response.failed|10|{"type":"response.failed","response":{"id":"r1","error":{"code":"server_error","message":"we failed"}}}`,
				"response.completed||" + gone + "we failed|upstream",
			},
		},
		"incomplete, seed": {
			"0.45.0", eof,
			[]string{"response.incomplete", stopped},
			[]string{"response.incomplete|10|", "response.completed||" + gone + "stream closed before response.completed|3//5//8|upstream"},
		},
		"incomplete, current, hung up at once": {
			"0.169.0", client,
			[]string{"response.incomplete", stopped},
			[]string{"response.incomplete|10|", "response.completed||Incomplete response returned, reason: max_output_tokens|3//5//8|client"},
		},
		"closed early": {
			"0.169.0", eof,
			[]string{"response.created", created},
			[]string{"response.created|10|", "response.completed||" + gone + "stream closed before response.completed|upstream"},
		},
		"cut, seed": {
			"0.45.0", cut,
			[]string{"response.created", created},
			[]string{"response.created|10|", "|30|Transport error: error decoding response body|upstream"},
		},
		"cut, names the ray": {
			"0.58.0", cut, nil,
			[]string{"|30|Transport error: Error while reading the server response: error decoding response body, request id: ray-1|upstream"},
		},
		"cut, current": {
			"0.169.0", cut, nil,
			[]string{
				"|30|Transport error: network error: error decoding response body",
				"response.completed||" + gone + "Transport error: network error: error decoding response body|upstream",
			},
		},
		"cut after the failure": {
			"0.169.0", cut,
			[]string{"response.failed", `{"type":"response.failed"}`},
			[]string{
				`response.failed|10|{"type":"response.failed"}`,
				"|30|Transport error: network error: error decoding response body",
				"response.completed||" + gone + "Transport error: network error: error decoding response body|upstream",
			},
		},
		"cut after the completion, seed": {
			"0.45.0", cut,
			[]string{"response.completed", completed},
			[]string{"response.completed|10|", "|30|Transport error: error decoding response body|3/1/5/2/9|upstream"},
		},
		"cut after the completion": {
			"0.80.0", cut,
			[]string{"response.completed", completed},
			[]string{
				"response.completed|10|",
				"|30|Transport error: network error: error decoding response body",
				"response.completed||" + gone + "Transport error: network error: error decoding response body|3/1/5/2/9|upstream",
			},
		},
		"not UTF-8": {
			"0.169.0", eof,
			[]string{"response.created", created, "x", "{\"a\":\"\xe2\x82\"}", "response.completed", completed},
			[]string{
				"response.created|10|",
				"|50|UTF8 error: invalid utf-8 sequence of 2 bytes from index 0",
				"response.completed||" + gone + "UTF8 error: invalid utf-8 sequence of 2 bytes from index 0|upstream",
			},
		},
		"idle, seed": {"0.45.0", idle, nil, []string{"|30|idle timeout waiting for SSE|idle"}},
		"client": {
			"0.45.0", client,
			[]string{"response.created", created},
			[]string{"response.created|10|", "|30|the agent closed the stream before it was complete|client"},
		},
		"not JSON": {
			"0.45.0", eof,
			[]string{"response.created", "nope", "x", "{", "y", "what"},
			[]string{
				"response.created|10|expected ident at line 1 column 2",
				"x|10|EOF while parsing an object at line 1 column 1",
				"y|10|expected value at line 1 column 1",
				"response.completed||" + gone + "stream closed before response.completed|upstream",
			},
		},
		"no response in the completion": {
			"0.45.0", eof,
			[]string{"response.completed", `{"type":"response.completed"}`},
			[]string{"response.completed|10|", "response.completed||" + gone + "stream closed before response.completed|upstream"},
		},
		"no id in the completion": {
			"0.45.0", eof,
			[]string{"response.completed", `{"type":"response.completed","response":{}}`},
			[]string{"response.completed|10|", "response.completed||" + gone + "failed to parse ResponseCompleted: missing field `id`|upstream"},
		},
		"empty data is no event": {"", responses.Ending{By: "client"}, []string{"response.created", ""}, []string{"|40|the agent closed the stream before it was complete|client"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := run(test.version, responses.DetailAll, streams, test.end, test.events...)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTurnDetail(t *testing.T) {
	stream := []string{"response.created", created, "response.output_text.delta", delta, "response.completed", completed}
	streams := responses.EndpointOf("POST", "/responses")
	for detail, want := range map[responses.Detail]int{responses.DetailAll: 3, responses.DetailLifecycle: 2, responses.DetailCompleted: 1} {
		if got := run("", detail, streams, responses.Ending{By: "completed"}, stream...); len(got) != want {
			t.Errorf("detail %d gives %q; want %d records", detail, got, want)
		}
	}
}

func TestTurnChat(t *testing.T) {
	chat := responses.EndpointOf("POST", "/chat/completions")
	got := run("", responses.DetailAll, chat, responses.Ending{By: "completed"},
		"", `{"id":"c1","choices":[]}`,
		"", `{"id":"c1","usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}}`, "", "[DONE]")
	want := []string{"message|10|", "message|10||2//3//5", "message|10|"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestTurnFindsUsageBehindTheCap(t *testing.T) {
	records := &journal{}
	turn := responses.NewTurn(responses.TurnConfig{Recorder: records, Scope: &events.Scope{}, Start: start, Endpoint: responses.EndpointOf("POST", "/responses")})
	head := `{"type":"response.completed","response":{"id":"r1","output":"` + strings.Repeat("x", 1000)
	tail := `xxxx"usage" is a word","usage": {"input_tokens":3,"output_tokens":5,"total_tokens":8}}}`
	if !turn.Event(responses.StreamEvent{Name: []byte("response.completed"), Data: []byte(head), Tail: []byte(tail), At: start}) {
		t.Fatal("Event() = false; want the completion")
	}
	if got := records.lines(); len(got) != 1 || !strings.HasSuffix(got[0], "|3//5//8|completed") {
		t.Errorf("records = %q; want one with the tokens", got)
	}
}
