package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// story tells of records in a line each: the conversation as a number in order of appearance, what happened,
// and the tokens as input/cached/output/reasoning/total. A delta that repeats the one before becomes a factor at its end.
//
//	1 starts
//	1 prompt of 9
//	1 POST /responses 200 attempt 0
//	1 response.created
//	1 response.output_text.delta x3
//	1 response.completed 12/4/3/1/15 by completed
func story(records []receiver.Record) []string {
	var lines []string
	var last string
	var times int
	conversations := map[any]int{}
	for i := range records {
		attrs := records[i].Attrs
		var line string
		switch attrs["event.name"] {
		case "codex.api_request":
			line = fmt.Sprintf("%v %v %v attempt %v", attrs["http.request.method"], attrs["endpoint"],
				known(attrs["http.response.status_code"], "unanswered"), attrs["attempt"])
		case "codex.sse_event":
			line = streamed(attrs)
		case "codex.websocket_connect":
			line = fmt.Sprintf("connect %v success %v", known(attrs["http.response.status_code"], "unanswered"), attrs["success"])
		case "codex.websocket_request":
			line = fmt.Sprintf("ask success %v reused %v", attrs["success"], attrs["auth.connection_reused"])
		case "codex.conversation_starts":
			line = "starts"
		case "codex.user_prompt":
			line = fmt.Sprintf("prompt of %v", attrs["prompt_length"])
		case "codex.tool_decision":
			line = fmt.Sprintf("decision %v %v %v", attrs["tool_name"], attrs["call_id"], attrs["decision"])
		case "codex.tool_result":
			line = fmt.Sprintf("result %v %v %v success %v: %v", attrs["tool_name"], attrs["call_id"], attrs["arguments"], attrs["success"], attrs["output"])
		default:
			line = fmt.Sprint(attrs["event.name"])
		}
		if message, ok := attrs["error.message"]; ok {
			line += fmt.Sprintf(": %v", message)
		}
		if records[i].Level > 9 {
			line += " (" + records[i].Severity + ")"
		}
		id := attrs["conversation.id"]
		if conversations[id] == 0 {
			conversations[id] = len(conversations) + 1
		}
		line = fmt.Sprintf("%d %s", conversations[id], line)
		if line == last && strings.HasSuffix(line, ".delta") {
			times++
			lines[len(lines)-1] = fmt.Sprintf("%s x%d", line, times)
			continue
		}
		last, times = line, 1
		lines = append(lines, line)
	}
	return lines
}

// streamed tells of a codex.sse_event.
func streamed(attrs map[string]any) string {
	line := fmt.Sprint(known(attrs["event.kind"], "end"))
	if _, ok := attrs["input_token_count"]; ok {
		var counts []string
		for _, name := range []string{"input", "cached", "output", "reasoning", "tool"} {
			counts = append(counts, fmt.Sprint(known(attrs[name+"_token_count"], "-")))
		}
		line += " " + strings.Join(counts, "/")
	}
	if by, ok := attrs["stream.ended_by"]; ok {
		line += fmt.Sprintf(" by %v", by)
	}
	return line
}

// known returns value, or what stands for an absent one.
func known(value any, otherwise string) any {
	if value == nil {
		return otherwise
	}
	return value
}

// checkAgentRecords checks what every record of the traffic of an SDK has in common.
func checkAgentRecords(t *testing.T, records []receiver.Record) {
	t.Helper()
	ids := map[any]bool{}
	for i := range records {
		r := &records[i]
		if r.Name() == "codex.api_request" || r.Name() == "codex.sse_event" {
			if got := r.Attrs["telemetry.source"]; got != "wire" {
				t.Errorf("%s has telemetry.source %v; want wire", r.Name(), got)
			}
		}
		if got := r.Attrs["auth_mode"]; got != "ApiKey" {
			t.Errorf("%s has auth_mode %v; want ApiKey", r.Name(), got)
		}
		if id := r.Attrs["event.id"]; id == nil || ids[id] {
			t.Errorf("%s has event.id %v; want one of its own", r.Name(), id)
		}
		ids[r.Attrs["event.id"]] = true
	}
}
