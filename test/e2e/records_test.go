package e2e_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// checkConversation holds records against those of one [converse] in the schema "typed", attribute by attribute. Their order is
// compared for each name of an event: what waits to be merged may be overtaken, or not on a slow machine.
func checkConversation(t *testing.T, records []receiver.Record) {
	t.Helper()
	var got []receiver.Record
	for i := range records {
		record := records[i]
		checkTimes(t, &record)
		record.Time, record.Observed = time.Time{}, time.Time{}
		record.Attrs = settled(record.Attrs)
		if name, ok := record.Body.(string); ok && strings.HasPrefix(name, "POST ") {
			record.Body, _, _ = strings.Cut(name, " in ")
		}
		got = append(got, record)
	}
	if diff := cmp.Diff(byName(wantConversation()), byName(got)); diff != "" {
		t.Errorf("records differ (-want +got):\n%s", diff)
	}
}

// byName sorts records by the names of their events, and keeps the order of those with the same name.
func byName(records []receiver.Record) []receiver.Record {
	return slices.SortedStableFunc(slices.Values(records), func(a, b receiver.Record) int { return strings.Compare(a.EventName, b.EventName) })
}

// checkTimes checks that a record says when it happened, the same everywhere.
func checkTimes(t *testing.T, record *receiver.Record) {
	t.Helper()
	if age := time.Since(record.Time); age < 0 || age > time.Minute {
		t.Errorf("%s happened %v ago; want it to be recent", record.EventName, age)
	}
	if !record.Observed.Equal(record.Time) {
		t.Errorf("%s observed at %v; want %v", record.EventName, record.Observed, record.Time)
	}
	if got, want := record.Attrs["event.timestamp"], record.Time.Format("2006-01-02T15:04:05.000Z"); got != want {
		t.Errorf("%s has event.timestamp %v; want %v", record.EventName, got, want)
	}
}

// settled replaces what differs from run to run by its type. How many bytes a stream had is told at its end only, which may
// come after its last event.
func settled(attrs map[string]any) map[string]any {
	attrs = maps.Clone(attrs)
	delete(attrs, "event.timestamp")
	delete(attrs, "stream.bytes")
	for _, key := range []string{"duration_ms", "ttft_ms"} {
		if ms, ok := attrs[key].(int64); ok && ms >= 0 && ms < 10_000 && attrs["event.name"] != "codex.tool_result" {
			attrs[key] = "some ms"
		}
	}
	if id, ok := attrs["event.id"].(string); ok && id != "" {
		attrs["event.id"] = "an id"
	}
	return attrs
}

// wantConversation returns the records of one [converse].
func wantConversation() []receiver.Record {
	request := with(common("codex.api_request", "wire"), map[string]any{
		"attempt": int64(0), "duration_ms": "some ms", "http.response.status_code": int64(200), "cf_ray": "0000000000000001-TST",
		"endpoint": "/responses", "http.request.method": "POST", "http.request.body.size": int64(len(conversationRequest)),
		"auth.header_attached": true, "auth.header_name": "authorization", "auth.retry_after_unauthorized": false,
		"request.id": "req_00000000000000000000000000000001",
	})
	event := func(kind string) map[string]any {
		return with(common("codex.sse_event", "wire"), map[string]any{
			"event.kind": kind, "duration_ms": "some ms",
			"request.id": "req_00000000000000000000000000000001", "response.id": "resp_1",
		})
	}
	completed := with(event("response.completed"), map[string]any{
		"input_token_count": int64(12), "output_token_count": int64(3), "cached_token_count": int64(4),
		"reasoning_token_count": int64(1), "tool_token_count": int64(15), "ttft_ms": "some ms", "model_reasoning_effort": "medium",
		"stream.ended_by": "completed", "stream.events": int64(5), "stream.deltas": int64(1),
	})
	// The first request tells of it, too.
	start := with(common("codex.conversation_starts", "both"), map[string]any{
		"provider_name": "proxy", "reasoning_effort": "medium", "context_window": int64(272000),
		"approval_policy": "never", "sandbox_policy": "read-only", "mcp_servers": "",
	})
	prompt := with(common("codex.user_prompt", "agent"), map[string]any{"prompt": "[REDACTED]", "prompt_length": int64(16)})
	decision := with(common("codex.tool_decision", "agent"), map[string]any{
		"tool_name": "shell", "call_id": "call_1", "decision": "approved_for_session", "source": "user",
	})
	result := with(common("codex.tool_result", "agent"), map[string]any{
		"tool_name": "shell", "call_id": "call_1", "arguments": "{}", "duration_ms": int64(57), "success": "false", "output": "no",
	})
	failed := record("shell failed in 57 ms", result)
	failed.Severity, failed.Level = "ERROR", 17
	return []receiver.Record{
		record("POST /responses 200", request),
		record("response.created", event("response.created")),
		record("response.output_item.added", event("response.output_item.added")),
		record("response.output_text.delta", event("response.output_text.delta")),
		record("response.output_item.done", event("response.output_item.done")),
		record("response.completed: 12 tokens in, 3 out", completed),
		record("conversation starts", start),
		record("prompt of 16 characters", prompt),
		record("shell: approved_for_session", decision),
		failed,
	}
}

// common returns what all records of a conversation have.
func common(name, source string) map[string]any {
	return map[string]any{
		"event.name": name, "event.id": "an id", "telemetry.source": source, "conversation.id": "c1",
		"app.version": "0.45.0", "originator": "codex_exec", "terminal.type": "xterm", "model": "gpt-5-codex", "slug": "gpt-5-codex",
	}
}

func with(attrs, more map[string]any) map[string]any {
	maps.Copy(attrs, more)
	return attrs
}

func record(body string, attrs map[string]any) receiver.Record {
	name, _ := attrs["event.name"].(string)
	return receiver.Record{
		Resource:  map[string]any{"service.name": "codex-cli", "service.version": "0.45.0", "env": "staging"},
		Scope:     "codex-proxy",
		EventName: name,
		Severity:  "INFO",
		Level:     9,
		Body:      body,
		Attrs:     attrs,
	}
}
