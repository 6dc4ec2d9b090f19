package events

import (
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
)

func benchScope() *Scope {
	return &Scope{
		ConversationID: "01a203a4-1e99-7870-808c-4b22d45b183c",
		AppVersion:     "0.169.0",
		AuthMode:       "ChatGPT",
		Originator:     "codex_exec",
		AccountID:      "acc-1",
		TerminalType:   "xterm",
		Model:          "gpt-5-codex",
		Slug:           "gpt-5-codex",
		TurnID:         "01a203a4-432a-74f0-bb03-874c7862bffc",
		ResponseID:     "resp_1",
		RequestID:      "req_0",
		Resource:       &Resource{ServiceName: "codex-cli"},
		Profile:        CodexProfile("0.169.0"),
	}
}

// deltaRecord is the most frequent record: one piece of text. Its duration needs
// an allocation as a string.
func deltaRecord() Record {
	return Record{
		Event: &SSEEvent{Kind: Some("response.output_text.delta"), DurationMS: Int64(1234)},
		Scope: benchScope(),
		Time:  time.Date(2026, 8, 19, 12, 30, 1, 234567890, time.UTC),
		ID:    ID("delta"),
	}
}

func BenchmarkAttributes(b *testing.B) {
	completed := deltaRecord()
	completed.Event = completion()
	for _, bench := range []struct {
		name   string
		schema Schema
		record Record
	}{
		{"delta/typed", SchemaTyped, deltaRecord()},
		{"delta/codex", SchemaCodex, deltaRecord()},
		{"completed/typed", SchemaTyped, completed},
		{"completed/codex", SchemaCodex, completed},
	} {
		b.Run(bench.name, func(b *testing.B) {
			e := &Encoder{Schema: bench.schema}
			attrs := make([]attribute.KeyValue, 0, 64)
			b.ReportAllocs()
			for b.Loop() {
				attrs = attrs[:0]
				e.Expand(bench.record, func(r Record) { attrs = e.Attributes(attrs, r) })
			}
		})
	}
}
