package events

import (
	"reflect"
	"strings"
	"testing"
)

// content are the fields that hold what users, models and tools said.
var content = map[string]bool{"Prompt": true, "Arguments": true, "Output": true, "ErrorMessage": true, "AuthError": true}

// A body is one line that anybody may read: it has no content, whichever field
// is missing.
func TestBodyHasNoContent(t *testing.T) {
	const canary = "canary"
	told := 0
	for _, event := range catalogue() {
		filled := reflect.New(reflect.TypeOf(event).Elem())
		fill(filled, func(field string) string {
			if content[field] {
				told++
				return canary
			}
			return "x"
		})
		r := Record{Event: filled.Interface().(Event), Scope: &Scope{}}
		check := func(missing string) {
			t.Helper()
			if body := (&Encoder{}).Body(r); strings.Contains(body, canary) || missing == "" && body == "" {
				t.Errorf("Body() of %s without %q = %q; want a line without content", event.EventName(), missing, body)
			}
			if body := (&Encoder{Schema: SchemaCodex}).Body(r); body != "" {
				t.Errorf("Body() of %s in the codex schema = %q; want none", event.EventName(), body)
			}
		}
		check("")
		for i := range filled.Elem().NumField() {
			field := filled.Elem().Field(i)
			was := reflect.ValueOf(field.Interface())
			field.SetZero()
			check(filled.Elem().Type().Field(i).Name)
			field.Set(was)
		}
		if gone := filled.Elem().FieldByName("ClientGone"); gone.IsValid() {
			gone.SetBool(true)
			check("")
		}
	}
	if told != 10 {
		t.Errorf("%d fields held a canary; want 10", told)
	}
}

// Names in a body come from the wire: they do not make it long or break its line.
func TestBodyIsOneShortLine(t *testing.T) {
	hostile := "shell\r\n2026-01-01 ERROR \x1b[31m forged\u2028line " + strings.Repeat("long ", 1000)
	for _, event := range catalogue() {
		filled := reflect.New(reflect.TypeOf(event).Elem())
		fill(filled, func(string) string { return hostile })
		if f := filled.Elem().FieldByName("ErrorMessage"); f.IsValid() {
			f.SetString("")
		}
		body := (&Encoder{}).Body(Record{Event: filled.Interface().(Event), Scope: &Scope{}})
		if strings.ContainsAny(body, "\r\n\x1b\u2028") || len(body) > maxBodyBytes {
			t.Errorf("Body() of %s = %q, %d bytes; want one line of at most %d", event.EventName(), body, len(body), maxBodyBytes)
		}
	}
}

func TestSummary(t *testing.T) {
	tests := []struct {
		event Event
		want  string
	}{
		{&ConversationStarts{}, "conversation starts"},
		{&UserPrompt{Length: 5}, "prompt of 5 characters"},
		{&APIRequest{StatusCode: Int64(200), DurationMS: 7}, "200 in 7 ms"},
		{&APIRequest{Method: "POST", Endpoint: "/responses", StatusCode: Int64(200), DurationMS: 412}, "POST /responses 200 in 412 ms"},
		{&APIRequest{Method: "POST", Endpoint: "/responses", ErrorMessage: "x", DurationMS: 7}, "POST /responses failed in 7 ms"},
		{&APIRequest{Method: "POST", Endpoint: "/responses", ClientGone: true, DurationMS: 7}, "POST /responses canceled in 7 ms"},
		{&SSEEvent{Kind: Some("response.created")}, "response.created"},
		{&SSEEvent{Kind: Some("response.completed"), Usage: &Usage{Input: 3, Output: 5}}, "response.completed: 3 tokens in, 5 out"},
		{&SSEEvent{Kind: Some("response.failed"), ErrorMessage: "x"}, "response.failed: failed"},
		{&SSEEvent{ErrorMessage: "x"}, "stream broke"},
		{&SSEEvent{Kind: Some("response.completed"), ErrorMessage: "x", EndedBy: "upstream"}, "stream ended by the upstream before completion"},
		{&SSEEvent{Kind: Some("response.failed"), ErrorMessage: "x", EndedBy: "completed"}, "response.failed: failed"},
		{&SSEEvent{EndedBy: "client", ErrorMessage: "x", ClientGone: true}, "stream ended by the client"},
		{&WebSocketConnect{Endpoint: "/responses", StatusCode: Int64(101), Success: true, DurationMS: 86}, "WebSocket /responses 101 in 86 ms"},
		{&WebSocketConnect{Endpoint: "/responses", Success: true, DurationMS: 7}, "WebSocket /responses connected in 7 ms"},
		{&WebSocketConnect{Endpoint: "/responses", ErrorMessage: "x", DurationMS: 7}, "WebSocket /responses failed in 7 ms"},
		{&WebSocketConnect{Endpoint: "/responses", ClientGone: true, DurationMS: 7}, "WebSocket /responses canceled in 7 ms"},
		{&WebSocketRequest{Success: true}, "WebSocket request"},
		{&WebSocketRequest{Success: true, Warmup: Some(true)}, "WebSocket warm-up"},
		{&WebSocketRequest{}, "WebSocket request failed"},
		{&WebSocketEvent{Kind: "response.created", Success: true}, "WebSocket response.created"},
		{&WebSocketEvent{Kind: "parse_error", ErrorMessage: "x"}, "WebSocket parse_error: failed"},
		{&ToolDecision{ToolName: "shell", Decision: DecisionDenied}, "shell: denied"},
		{&ToolResult{ToolName: "shell", Success: true, DurationMS: Int64(12)}, "shell succeeded in 12 ms"},
		{&ToolResult{ToolName: "shell"}, "shell failed"},
	}
	for _, test := range tests {
		if got := test.event.Summary(); got != test.want {
			t.Errorf("Summary() of %+v = %q; want %q", test.event, got, test.want)
		}
	}
}
