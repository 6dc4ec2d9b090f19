package store

import (
	"context"
	"strconv"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/codex-proxy/codex-proxy/events"
)

// factBytes is about what a fact takes on disk.
const factBytes = 256

// fact is what the tables of the history know of a record: no prompt, argument
// or output, which are in the record itself as far as it was told.
type fact struct {
	name       string
	at         int64 // Unix nanoseconds
	attributes map[string]*commonpb.AnyValue
}

// newFact returns the fact of a record, false for one that the tables have no
// place for.
func newFact(record *logspb.LogRecord, at int64) (fact, bool) {
	f := fact{name: record.GetEventName(), at: at, attributes: make(map[string]*commonpb.AnyValue, len(record.GetAttributes()))}
	for _, kv := range record.GetAttributes() {
		if _, twice := f.attributes[kv.GetKey()]; !twice {
			f.attributes[kv.GetKey()] = kv.GetValue()
		}
	}
	if name, ok := f.text("event.name").(string); ok {
		f.name = name
	}
	switch f.name {
	case events.NameConversationStarts, events.NameUserPrompt, events.NameAPIRequest, events.NameWebSocketRequest,
		events.NameToolDecision, events.NameToolResult:
		return f, true
	case events.NameSSEEvent:
		return f, f.text("stream.ended_by") != nil
	default:
		return f, false
	}
}

// text returns a string, nil for none.
func (f *fact) text(key string) any {
	if v, ok := f.attributes[key].GetValue().(*commonpb.AnyValue_StringValue); ok {
		return v.StringValue
	}
	return nil
}

// number returns an integer, also one that the codex schema spells out, nil for
// none.
func (f *fact) number(key string) any {
	switch v := f.attributes[key].GetValue().(type) {
	case *commonpb.AnyValue_IntValue:
		return v.IntValue
	case *commonpb.AnyValue_StringValue:
		if n, err := strconv.ParseInt(v.StringValue, 10, 64); err == nil {
			return n
		}
	}
	return nil
}

// size returns the bytes of a string, nil without one.
func (f *fact) size(key string) any {
	if text, ok := f.text(key).(string); ok {
		return len(text)
	}
	return nil
}

// write adds the fact to the tables, as known from a chapter.
func (f *fact) write(ctx context.Context, tx *prepared, chapter int64) error {
	if err := f.writeConversation(ctx, tx, chapter); err != nil {
		return err
	}
	var err error
	switch f.name {
	case events.NameUserPrompt:
		_, err = tx.ExecContext(ctx, "INSERT INTO prompts (history, at, conversation, turn, length) VALUES (?, ?, ?, ?, ?)",
			chapter, f.at, f.text("conversation.id"), f.text("turn.id"), f.number("prompt_length"))
	case events.NameAPIRequest, events.NameWebSocketRequest:
		err = f.writeRequest(ctx, tx, chapter)
	case events.NameSSEEvent:
		err = f.writeEnd(ctx, tx, chapter)
	case events.NameToolDecision, events.NameToolResult:
		err = f.writeCall(ctx, tx, chapter)
	default:
	}
	return err
}

// writeConversation notes that a conversation was active.
func (f *fact) writeConversation(ctx context.Context, tx *prepared, chapter int64) error {
	id := f.text("conversation.id")
	if id == nil {
		return nil
	}
	const upsert = `INSERT INTO conversations (id, history, first_at, last_at, model, agent, version) VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)
ON CONFLICT DO UPDATE SET history = excluded.history, first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at),
	model = coalesce(excluded.model, model), agent = coalesce(excluded.agent, agent), version = coalesce(excluded.version, version)`
	_, err := tx.ExecContext(ctx, upsert, id, chapter, f.at, f.text("model"), f.text("originator"), f.text("app.version"))
	return err
}

// writeRequest begins an exchange.
func (f *fact) writeRequest(ctx context.Context, tx *prepared, chapter int64) error {
	transport := "http"
	if f.name == events.NameWebSocketRequest {
		transport = "websocket"
	}
	const insert = "INSERT INTO exchanges (history, at, conversation, turn, request, transport, endpoint, model, attempt, status, duration_ms, error)" +
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	_, err := tx.ExecContext(ctx, insert, chapter, f.at, f.text("conversation.id"), f.text("turn.id"), f.text("request.id"), transport,
		f.text("endpoint"), f.text("model"), f.number("attempt"), f.number("http.response.status_code"), f.number("duration_ms"), f.text("error.message"))
	return err
}

// writeEnd ends an exchange: the newest of the conversation that has not ended
// and is not known to be another request. One whose begin is not known is new.
func (f *fact) writeEnd(ctx context.Context, tx *prepared, chapter int64) error {
	ends := []any{
		chapter, f.at, f.text("response.id"), f.text("stream.ended_by"), f.text("error.message"), f.number("ttft_ms"),
		f.number("input_token_count"), f.number("cached_token_count"), f.number("output_token_count"), f.number("reasoning_token_count"),
		f.number("stream.events"), f.text("conversation.id"), f.text("request.id"),
	}
	const update = `UPDATE exchanges SET history = ?1, ended_at = ?2, response = ?3, ended_by = ?4, error = ?5, ttft_ms = ?6,
	input_tokens = ?7, cached_tokens = ?8, output_tokens = ?9, reasoning_tokens = ?10, events = ?11
WHERE id = (SELECT id FROM exchanges WHERE conversation IS ?12 AND ended_by IS NULL AND error IS NULL
	AND (request IS ?13 OR request IS NULL OR ?13 IS NULL) ORDER BY request IS ?13 DESC, id DESC LIMIT 1)`
	result, err := tx.ExecContext(ctx, update, ends...)
	if err != nil {
		return err
	}
	if changed, err := result.RowsAffected(); err != nil || changed > 0 {
		return err
	}
	const insert = `INSERT INTO exchanges (history, at, ended_at, response, ended_by, error, ttft_ms, input_tokens, cached_tokens,
	output_tokens, reasoning_tokens, events, conversation, request, turn, model)
VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)`
	_, err = tx.ExecContext(ctx, insert, append(ends, f.text("turn.id"), f.text("model"))...)
	return err
}

// writeCall notes what is known of a tool call: how it was decided, or how it
// ended.
func (f *fact) writeCall(ctx context.Context, tx *prepared, chapter int64) error {
	call := f.text("call_id")
	if call == nil {
		call = f.text("event.id") // A result of no call is one of its own.
	}
	var decision, decider any
	if f.name == events.NameToolDecision {
		decision, decider = f.text("decision"), f.text("source")
	}
	const upsert = `INSERT INTO tool_calls (conversation, call, history, at, turn, tool, decision, decided_by, duration_ms, success, arguments_bytes, output_bytes)
VALUES (coalesce(?, ''), coalesce(?, ''), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET history = excluded.history, at = min(at, excluded.at), turn = coalesce(excluded.turn, turn), tool = coalesce(excluded.tool, tool),
	decision = coalesce(excluded.decision, decision), decided_by = coalesce(excluded.decided_by, decided_by),
	duration_ms = coalesce(excluded.duration_ms, duration_ms), success = coalesce(excluded.success, success),
	arguments_bytes = coalesce(excluded.arguments_bytes, arguments_bytes), output_bytes = coalesce(excluded.output_bytes, output_bytes)`
	_, err := tx.ExecContext(ctx, upsert, f.text("conversation.id"), call, chapter, f.at, f.text("turn.id"), f.text("tool_name"), decision, decider,
		f.number("duration_ms"), f.text("success"), f.size("arguments"), f.size("output"))
	return err
}
