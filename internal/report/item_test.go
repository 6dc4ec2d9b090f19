package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/codex-proxy/codex-proxy/events"
)

func TestItemRules(t *testing.T) {
	h, _ := newTest(t, Config{})
	for _, row := range itemRows() {
		t.Run(row.name, func(t *testing.T) {
			_, problems := one(h, row.item)
			if row.message == "" {
				if len(problems) > 0 {
					t.Fatalf("decode() = %+v; want it accepted", problems)
				}
				return
			}
			if len(problems) == 0 {
				t.Fatalf("decode() accepts; want %q", row.message)
			}
			got := problems[0]
			if got.Field != row.field || got.Message != row.message || got.reason != row.reason {
				t.Errorf("decode() = %q: %q (%v); want %q: %q (%v)", got.Field, got.Message, got.reason, row.field, row.message, row.reason)
			}
		})
	}
}

func TestItemEveryProblem(t *testing.T) {
	h, _ := newTest(t, Config{})
	_, problems := one(h, `{"event.name":"tool_decision","call_id":"","decision":"x","source":5,"nope":1,"event.timestamp":"now"}`)
	var fields []string
	for _, problem := range problems {
		fields = append(fields, problem.Field)
	}
	want := []string{"call_id", "decision", "source", "nope", "event.timestamp", "conversation.id", "tool_name"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestItemEvents(t *testing.T) {
	h, _ := newTest(t, Config{})
	for _, test := range []struct {
		name string
		item string
		want events.Event
	}{
		{"prompt", bare("user_prompt", `,"prompt":"é🌍"`), &events.UserPrompt{Length: 2, Prompt: events.Some("é🌍")}},
		{"length alone", bare("user_prompt", `,"prompt_length":"5"`), &events.UserPrompt{Length: 5, Prompt: events.Some(events.Redacted)}},
		{"image only", bare("user_prompt", `,"prompt":"","prompt_length":0`), &events.UserPrompt{Prompt: events.Some("")}},
		{
			"decision", with("tool_decision", `"source":"USER"`),
			&events.ToolDecision{ToolName: "shell", CallID: "k1", Decision: events.DecisionDenied, Decider: events.Some(events.DecidedByUser)},
		},
		{
			"decision of an older codex", bare("tool_decision", `,"tool_name":"shell","call_id":"k1","decision":"approvedforsession"`),
			&events.ToolDecision{ToolName: "shell", CallID: "k1", Decision: events.DecisionApprovedForSession},
		},
		{"least result", with("tool_result", ""), &events.ToolResult{ToolName: "shell", Success: true}},
		{
			"whole result",
			bare("tool_result", `,"tool_name":"t","success":"false","call_id":"k","arguments":"{}","duration_ms":"35","output":"","mcp_server":"files","mcp_server_origin":"stdio"`),
			&events.ToolResult{
				ToolName: "t", CallID: events.Some("k"), Arguments: events.Some("{}"), DurationMS: events.Some(int64(35)),
				Output: events.Some(""), MCPServer: events.Some("files"), MCPOrigin: events.Some("stdio"),
			},
		},
		{"least start", with("conversation_starts", ""), &events.ConversationStarts{}},
		{
			"whole start",
			with("conversation_starts", `"provider_name":"p","reasoning_effort":"high","reasoning_summary":"auto","context_window":272000,"max_output_tokens":128000,"auto_compact_token_limit":350000.0,"approval_policy":"never","sandbox_policy":"read-only","mcp_servers":"","active_profile":"work"`),
			&events.ConversationStarts{
				ProviderName: events.Some("p"), ReasoningEffort: events.Some("high"), ReasoningSummary: events.Some("auto"),
				ContextWindow: events.Some(int64(272000)), MaxOutputTokens: events.Some(int64(128000)),
				AutoCompactTokenLimit: events.Some(int64(350000)), ApprovalPolicy: events.Some("never"),
				SandboxPolicy: events.Some("read-only"), MCPServers: events.Some(""), ActiveProfile: events.Some("work"),
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			record, problems := one(h, test.item)
			if diff := cmp.Diff(test.want, record.Event, cmpopts.EquateEmpty()); diff != "" || problems != nil {
				t.Errorf("event (-want +got):\n%s%v", diff, problems)
			}
			if record.Source != events.SourceAgent || !record.Time.Equal(testNow) {
				t.Errorf("source, time = %v, %v; want agent, %v", record.Source, record.Time, testNow)
			}
		})
	}
}

func TestItemTime(t *testing.T) {
	h, _ := newTest(t, Config{})
	record, _ := one(h, with("user_prompt", `"event.timestamp":"2026-03-01T12:30:00.123456789+01:00"`))
	want := time.Date(2026, 3, 1, 11, 30, 0, 123456789, time.UTC)
	if record.Time != want {
		t.Errorf("Time = %v; want %v", record.Time, want)
	}
}

func TestItemHalfSurrogateCounted(t *testing.T) {
	h, _ := newTest(t, Config{})
	for _, test := range []struct {
		output   string
		want     string
		repaired int64
	}{
		{`ab\ud83c`, "ab\uFFFD", 1},
		{`\udf0dab`, "\uFFFDab", 1},
		{`\ud83cab`, "\uFFFDab", 1},
		{`\ud83c\ud83c\udf0d`, "\uFFFD🌍", 1},
		{`\uD83C\uDF0D`, "🌍", 0},
		{`\\ud83c`, `\ud83c`, 0},
		{`\ufffd`, "\uFFFD", 0},
	} {
		before := h.Stats().Repaired
		record, problems := one(h, with("tool_result", `"output":"`+test.output+`"`))
		if problems != nil {
			t.Fatalf("decode(%s) = %+v; want it accepted", test.output, problems)
		}
		if got := record.Event.(*events.ToolResult).Output.Value; got != test.want {
			t.Errorf("output of %s = %q; want %q", test.output, got, test.want)
		}
		if got := h.Stats().Repaired - before; got != test.repaired {
			t.Errorf("Repaired by %s = %d; want %d", test.output, got, test.repaired)
		}
	}
}
