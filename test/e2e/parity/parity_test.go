package parity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/test/e2e/parity"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// record is a record of an event with some attributes, given as key, value.
func record(event string, pairs ...any) receiver.Record {
	attrs := map[string]any{"event.name": "codex." + event, "event.timestamp": "2026-11-23T12:00:00.000Z", "conversation.id": "c"}
	for i := 0; i < len(pairs); i += 2 {
		key, _ := pairs[i].(string)
		attrs[key] = pairs[i+1]
	}
	return receiver.Record{Attrs: attrs}
}

type records = []receiver.Record

// TestCompare compares what differs in every way.
func TestCompare(t *testing.T) {
	expected := []*parity.Expectation{
		{Event: "codex.tool_result", Attribute: "secret*", Kinds: []parity.Kind{parity.Missed}, From: 100, Until: 200},
		{Event: "codex.conversation_starts", Attribute: "*", Kinds: []parity.Kind{parity.Missed}, Lone: true, Again: true},
		{Event: "codex.tool_result", Attribute: "tool", Kinds: []parity.Kind{parity.Missed}, Unasked: true},
	}
	tests := map[string]struct {
		codex, proxy        records
		failed              bool
		matched, underiable int
		lost                int
		want                string
	}{
		"equal":     {codex: records{record("user_prompt", "prompt", "a")}, proxy: records{record("user_prompt", "prompt", "a", "added", 1)}, matched: 4},
		"missed":    {codex: records{record("user_prompt", "prompt", "a")}, proxy: records{record("user_prompt")}, matched: 3, want: `missed prompt`},
		"differing": {codex: records{record("user_prompt", "n", "1")}, proxy: records{record("user_prompt", "n", int64(1))}, matched: 3, want: `differing n: Codex "1", proxy 1`},
		"invented":  {codex: records{record("user_prompt")}, proxy: records{record("user_prompt", "n", 1)}, matched: 3, want: `invented n`},
		"about": {
			codex:   records{record("tool_result", "duration_ms", "100", "event.timestamp", "2026-11-23T12:00:01.000Z")},
			proxy:   records{record("tool_result", "duration_ms", "490", "event.timestamp", "2026-11-23T12:00:09.000Z")},
			matched: 4,
		},
		"too long": {
			codex: records{record("sse_event", "duration_ms", "100")}, proxy: records{record("sse_event", "duration_ms", "501")},
			matched: 3, want: "differing duration_ms",
		},
		"too late": {
			codex: records{record("sse_event", "event.timestamp", "2026-11-23T12:00:01.000Z")}, proxy: records{record("sse_event", "event.timestamp", "2026-11-23T12:00:03.000Z")},
			matched: 2, want: "differing event.timestamp",
		},
		"expected":         {codex: records{record("tool_result", "secret.one", 1)}, proxy: records{record("tool_result")}, matched: 3, underiable: 1},
		"expected of none": {codex: records{record("user_prompt", "secret.one", 1)}, proxy: records{record("user_prompt")}, matched: 3, want: "missed secret.one"},
		"unasked":          {codex: records{record("tool_result", "tool", 1)}, proxy: records{record("tool_result")}, matched: 3, underiable: 1},
		"missed event":     {codex: records{record("conversation_starts")}, want: "codex.conversation_starts : missed event"},
		"told again":       {codex: records{record("conversation_starts"), record("conversation_starts")}, proxy: records{record("conversation_starts")}, matched: 3, underiable: 3},
		"invented event":   {proxy: records{record("tool_result", "call_id", "a", "success", "true")}, want: `codex.tool_result a: invented event success="true"`},
		"not compared":     {codex: records{record("startup_phase")}},
		"in another order": {
			codex:   records{record("tool_result", "call_id", "a"), record("tool_result", "call_id", "b")},
			proxy:   records{record("tool_result", "call_id", "b"), record("tool_result", "call_id", "a")},
			matched: 8,
		},
		"one of three": {
			codex:   records{record("api_request", "n", 1), record("api_request", "n", 2), record("api_request", "n", 3), record("api_request", "n", 3)},
			proxy:   records{record("api_request", "n", 1), record("api_request", "n", 3), record("api_request", "n", 3)},
			matched: 12, want: "codex.api_request : missed event",
		},
		"lost": {
			codex: records{record("api_request")}, failed: true, lost: 1, matched: 3,
			proxy: records{record("api_request"), record("sse_event", "event.timestamp", "2026-11-23T12:00:01.000Z")},
		},
		"not lost": {
			codex: records{record("api_request")}, failed: true, matched: 3, want: "invented event",
			proxy: records{record("api_request"), record("sse_event", "event.timestamp", "2026-11-23T11:00:01.000Z")},
		},
	}
	comparer := &parity.Comparer{Additions: map[string]bool{"added": true}, Expected: expected}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := comparer.Compare(parity.Run{Version: "0.150.0"}, test.codex, test.proxy, test.failed, map[string]bool{"tool": true})
			got := []int{r.Matched, r.Underivable, r.Lost}
			if diff := cmp.Diff([]int{test.matched, test.underiable, test.lost}, got); diff != "" {
				t.Errorf("matched, underivable, lost (-want +got):\n%s", diff)
			}
			if text := parity.Describe(r.Unexpected); (text == "") != (test.want == "") || !strings.Contains(text, test.want) {
				t.Errorf("Describe() = %q; want %q", text, test.want)
			}
		})
	}
}

// TestExpectationsAreNarrow: an entry accounts for a release that it names, and for no other.
func TestExpectationsAreNarrow(t *testing.T) {
	comparer := &parity.Comparer{Expected: []*parity.Expectation{
		{Event: "codex.user_prompt", Attribute: "n", Kinds: []parity.Kind{parity.Missed}, From: 100, Until: 120},
	}}
	for version, want := range map[string]int{"0.99.0": 0, "0.100.0": 1, "0.119.9": 1, "0.120.0": 0, "odd": 0} {
		r := comparer.Compare(parity.Run{Version: version}, records{record("user_prompt", "n", 1)}, records{record("user_prompt")}, false, nil)
		if r.Underivable != want {
			t.Errorf("%s: %d attributes accounted for; want %d", version, r.Underivable, want)
		}
	}
}

// TestPage has the numbers, and says which entry never occurred.
func TestPage(t *testing.T) {
	expected := []*parity.Expectation{
		{Event: "codex.user_prompt", Attribute: "n", Kinds: []parity.Kind{parity.Missed}, Reason: "why"},
		{Attribute: "x", Kinds: []parity.Kind{parity.Missed}, From: 50, Reason: "why not"},
	}
	comparer, matrix := &parity.Comparer{Expected: expected}, new(parity.Matrix)
	run := parity.Run{Version: "0.58.0", Transport: "http", Scenario: "one"}
	matrix.Add(comparer.Compare(run, records{record("user_prompt", "n", 1), record("turn_ttft")}, records{record("user_prompt")}, false, nil))
	matrix.Add(comparer.Compare(run, records{record("user_prompt", "m", 1)}, records{record("user_prompt", "m", 2)}, false, nil))
	page := string(matrix.Page(expected, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)))
	for _, want := range []string{
		"Last run on 2026-11-23",
		"| 0.58.0 | http | 2 | 2 | 6 | 0 | 1 | 0 | 0 | 1 | 85.71 % |",
		"- 0.58.0 http, one: codex.user_prompt : differing m: Codex 1, proxy 2",
		"| `codex.user_prompt` | `n` | missed | all |  | 1 | why |",
		"| any | `x` | missed | since 0.50 |  | never | why not |",
		"`codex.turn_ttft`",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("Page() lacks %q:\n%s", want, page)
		}
	}
}
