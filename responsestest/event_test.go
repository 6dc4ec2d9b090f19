package responsestest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"github.com/tmaxmax/go-sse"

	rt "github.com/codex-proxy/codex-proxy/responsestest"
)

// The shapes that Codex 0.45.0 and 0.169.0 accepted and acted on.
func TestEventShapes(t *testing.T) {
	usage := rt.Usage{Input: 1200, Cached: 1024, Output: 42, Reasoning: 10}
	for _, tt := range []struct {
		event      rt.Event
		name, data string
	}{
		{rt.Created("r"), "response.created", `{"type":"response.created","response":{"id":"r","object":"response","status":"in_progress","output":[]}}`},
		{rt.InProgress("r"), "response.in_progress", `{"type":"response.in_progress","response":{"id":"r","object":"response","status":"in_progress","output":[]}}`},
		{rt.TextDelta("<a&b> ü\n"), "response.output_text.delta", `{"type":"response.output_text.delta","item_id":"msg_1","content_index":0,"delta":"<a&b> ü\n"}`},
		{rt.ReasoningSummaryDelta("hm"), "response.reasoning_summary_text.delta", `{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","summary_index":0,"delta":"hm"}`},
		{rt.FunctionArgumentsDelta("c", `{"`), "response.function_call_arguments.delta", `{"type":"response.function_call_arguments.delta","item_id":"fc_c","delta":"{\""}`},
		{rt.CustomToolInputDelta("c", "x"), "response.custom_tool_call_input.delta", `{"type":"response.custom_tool_call_input.delta","item_id":"ctc_c","delta":"x"}`},
		{rt.Message("m", "hi"), "response.output_item.done", `{"type":"response.output_item.done","item":{"id":"m","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"text":"hi"}]}}`},
		{rt.FunctionCall("c", "shell", `{"command":["ls"]}`), "response.output_item.done", `{"type":"response.output_item.done","item":{"id":"fc_c","type":"function_call","status":"completed","arguments":"{\"command\":[\"ls\"]}","call_id":"c","name":"shell"}}`},
		{rt.CustomToolCall("c", "t", "in"), "response.output_item.done", `{"type":"response.output_item.done","item":{"id":"ctc_c","type":"custom_tool_call","status":"completed","call_id":"c","input":"in","name":"t"}}`},
		{rt.LocalShellCall("c", "ls", "-l"), "response.output_item.done", `{"type":"response.output_item.done","item":{"id":"lsh_c","type":"local_shell_call","status":"completed","action":{"type":"exec","command":["ls","-l"],"env":{}},"call_id":"c"}}`},
		{rt.LocalShellCall("c"), "response.output_item.done", `{"type":"response.output_item.done","item":{"id":"lsh_c","type":"local_shell_call","status":"completed","action":{"type":"exec","command":[],"env":{}},"call_id":"c"}}`},
		{rt.ApplyPatch("c", "*** Begin"), "response.output_item.done", `{"type":"response.output_item.done","item":{"id":"ctc_c","type":"custom_tool_call","status":"completed","call_id":"c","input":"*** Begin","name":"apply_patch"}}`},
		{rt.ApplyPatchFunction("c", "a\n"), "response.output_item.done", `{"type":"response.output_item.done","item":{"id":"fc_c","type":"function_call","status":"completed","arguments":"{\"input\":\"a\\n\"}","call_id":"c","name":"apply_patch"}}`},
		{rt.Reasoning("rs", "one", "two"), "response.output_item.done", `{"type":"response.output_item.done","item":{"id":"rs","type":"reasoning","summary":[{"type":"summary_text","text":"one"},{"type":"summary_text","text":"two"}]}}`},
		{rt.Reasoning("rs"), "response.output_item.done", `{"type":"response.output_item.done","item":{"id":"rs","type":"reasoning","summary":[]}}`},
		{rt.WebSearchCallAdded("ws", "q"), "response.output_item.added", `{"type":"response.output_item.added","item":{"id":"ws","type":"web_search_call","status":"in_progress","action":{"type":"search","query":"q"}}}`},
		{rt.WebSearchCall("ws", "q"), "response.output_item.done", `{"type":"response.output_item.done","item":{"id":"ws","type":"web_search_call","status":"completed","action":{"type":"search","query":"q"}}}`},
		{rt.OutputItemAdded(`{"type":"new"}`), "response.output_item.added", `{"type":"response.output_item.added","item":{"type":"new"}}`},
		{rt.Completed("r"), "response.completed", `{"type":"response.completed","response":{"id":"r","object":"response","status":"completed","output":[]}}`},
		{rt.CompletedWithTokens("r", usage), "response.completed", `{"type":"response.completed","response":{"id":"r","object":"response","status":"completed","output":[],"usage":{"input_tokens":1200,"input_tokens_details":{"cached_tokens":1024},"output_tokens":42,"output_tokens_details":{"reasoning_tokens":10},"total_tokens":1242}}}`},
		{rt.CompletedWithTokens("r", rt.Usage{Input: 9, CacheWrite: 3, Total: 50}), "response.completed", `{"type":"response.completed","response":{"id":"r","object":"response","status":"completed","output":[],"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":3},"output_tokens":0,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":50}}}`},
		{rt.CompletedWithTokens("r", rt.Usage{Input: 1, NoDetails: true}), "response.completed", `{"type":"response.completed","response":{"id":"r","object":"response","status":"completed","output":[],"usage":{"input_tokens":1,"output_tokens":0,"total_tokens":1}}}`},
		{rt.CompletedWithOutput("r", rt.Usage{NoDetails: true}, "{}", "{}"), "response.completed", `{"type":"response.completed","response":{"id":"r","object":"response","status":"completed","output":[{},{}],"usage":{"input_tokens":0,"output_tokens":0,"total_tokens":0}}}`},
		{rt.Failed("r", "server_error", "oops"), "response.failed", `{"type":"response.failed","response":{"id":"r","object":"response","status":"failed","error":{"code":"server_error","message":"oops"},"output":[],"usage":null}}`},
		{rt.Incomplete("r", "max_output_tokens"), "response.incomplete", `{"type":"response.incomplete","response":{"id":"r","object":"response","status":"incomplete","error":null,"incomplete_details":{"reason":"max_output_tokens"},"output":[]}}`},
		{rt.StreamError("server_error", "oops"), "error", `{"type":"error","code":"server_error","message":"oops","param":null}`},
	} {
		if tt.event.Name != tt.name || tt.event.Data != tt.data {
			t.Errorf("event = %s %s; want %s %s", tt.event.Name, tt.event.Data, tt.name, tt.data)
		}
		if !json.Valid([]byte(tt.event.Data)) {
			t.Errorf("%s is not JSON", tt.event.Data)
		}
	}
}

func TestSSEFraming(t *testing.T) {
	for _, tt := range []struct {
		name  string
		event rt.Event
		want  string
	}{
		{"named", rt.Event{Name: "a", Data: "1"}, "event: a\ndata: 1\n\n"},
		{"no event line", rt.Event{Data: "1"}, "data: 1\n\n"},
		{"no data line", rt.Event{Name: "a"}, "event: a\n\n"},
		{"every line end", rt.Event{Data: "1\n2\r3\r\n4"}, "data: 1\ndata: 2\ndata: 3\ndata: 4\n\n"},
		{"raw", rt.Raw("data: {half"), "data: {half"},
		{"comment", rt.Comment("a\nb"), ": a\n: b\n\n"},
		{"end marker", rt.Done(), "data: [DONE]\n\n"},
		{"pause", rt.Pause(1), ""},
		{"wait", rt.Wait(nil), ""},
		{"gate", rt.NewGate().Stop(), ""},
	} {
		if got := string(rt.SSE(tt.event)); got != tt.want {
			t.Errorf("%s: SSE() = %q; want %q", tt.name, got, tt.want)
		}
	}
}

func TestMessageStreamNumbered(t *testing.T) {
	events := rt.Numbered(slices.Concat(
		[]rt.Event{rt.Created("r"), rt.Comment("x")},
		rt.MessageStream("m", "a", "b"),
		[]rt.Event{rt.FunctionCall("c", "f", "{}"), {Data: "[DONE]"}, rt.Completed("r")},
	)...)
	var got []string
	for _, e := range events {
		got = append(got, strings.Join([]string{
			e.Name, gjson.Get(e.Data, "sequence_number").Raw, gjson.Get(e.Data, "output_index").Raw,
			gjson.Get(e.Data, "item_id").Str, gjson.Get(e.Data, "delta").Str + gjson.Get(e.Data, "text").Str,
		}, "|"))
	}
	want := []string{
		"response.created|0|||",
		"||||",
		"response.output_item.added|1|0||",
		"response.content_part.added|2|0|m|",
		"response.output_text.delta|3|0|m|a",
		"response.output_text.delta|4|0|m|b",
		"response.output_text.done|5|0|m|ab",
		"response.content_part.done|6|0|m|",
		"response.output_item.done|7|0||",
		"response.output_item.done|8|1||",
		"||||",
		"response.completed|9|||",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Numbered() differs (-want +got):\n%s", diff)
	}
}

// An independent parser reads back what was written.
func FuzzEventReadBack(f *testing.F) {
	f.Add("response.created", `{"type":"response.created"}`)
	f.Add("", "a\r\nb\rc\n")
	f.Add("x", " leading")
	f.Fuzz(func(t *testing.T, name, data string) {
		if strings.ContainsAny(name, "\r\n") || strings.HasPrefix(name, "\ufeff") || data == "" {
			t.Skip("no single line, or no event at all for a client")
		}
		want := strings.ReplaceAll(strings.ReplaceAll(data, "\r\n", "\n"), "\r", "\n")
		body := string(rt.SSE(rt.Event{Name: name, Data: data}, rt.Event{Name: "end", Data: "end"}))
		var got []sse.Event
		for e, err := range sse.Read(strings.NewReader(body), nil) {
			if err != nil {
				t.Fatalf("read %q: %v", body, err)
			}
			got = append(got, e)
		}
		if len(got) != 2 || got[0].Type != name || got[0].Data != want {
			t.Fatalf("SSE(%q, %q) read back as %+v", name, data, got)
		}
	})
}
