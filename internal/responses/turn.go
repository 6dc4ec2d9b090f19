package responses

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// Detail says which events of a stream are told.
type Detail uint8

// The values of [otel] sse_events.
const (
	DetailAll       Detail = iota // every event
	DetailLifecycle               // every event but deltas
	DetailCompleted               // completions and failures
)

// TurnConfig describes one exchange to its Turn.
type TurnConfig struct {
	Recorder   events.Recorder
	Scope      *events.Scope
	ExchangeID string    // unique; event ids derive from it
	Start      time.Time // when the response's headers came
	Detail     Detail
	Endpoint   Endpoint
	Request    *Request // nil for one that told nothing
	CFRay      string
	// WebSocket reports that the response comes as messages, see Turn.Message.
	WebSocket bool
	// Messages has each message told as codex.websocket_event, if the agent's
	// release of Codex does.
	Messages bool
	// Items takes the items of the response's output; nil for nobody.
	Items Items
}

// Turn interprets one response, streamed or not, and records what it tells:
// codex.sse_event for each event, and for the way the response ended. It
// mirrors process_sse and log_sse_event of Codex. It is not safe for concurrent
// use.
type Turn struct {
	cfg     TurnConfig
	numbers numbers   // as the agent's release keeps them
	last    time.Time // when the event before came
	waited  time.Time // when the message before came
	seq     int64     // records made
	supply  supply

	count, deltas int64
	items         int // of the output, shown
	ttft          events.Opt[int64]
	completed     bool
	told          bool          // the completion was recorded
	invalid       string        // why Codex reads no further, which it tells at the end
	failure       string        // what to say at the end, if no completion comes
	usage         *events.Usage // of a response that was not completed
	limits        *limits       // what came in the stream; nil for nothing
	charged       verdict
	apart         bool  // the tokens told may be those of a background response
	held          *held // a completion not told yet
}

// NewTurn returns a Turn for one response.
func NewTurn(cfg TurnConfig) *Turn {
	if cfg.Request == nil {
		cfg.Request = new(Request)
	}
	return &Turn{cfg: cfg, numbers: numbersOf(cfg.Scope.Profile), last: cfg.Start, waited: cfg.Start}
}

// StreamEvent is one event of a stream, as a decoder saw it.
type StreamEvent struct {
	Name []byte // the event field, empty when there was none
	Data []byte
	Tail []byte // the end of the data where Data is only its beginning
	At   time.Time
}

// done is the data that ends a Chat Completions stream.
var done = []byte("[DONE]")

// Event takes the next event and reports whether the response is complete with
// it. The slices of e are not kept.
func (t *Turn) Event(e StreamEvent) (terminal bool) {
	if len(e.Data) == 0 || t.invalid != "" || t.completed && t.stopsAtCompletion() {
		return t.completed
	}
	if t.cfg.Scope.Profile.Codex && e.Tail == nil && !utf8.Valid(e.Data) {
		t.invalid = invalidText(e.Data)
		return t.completed
	}
	t.split()
	wait := events.Milliseconds(e.At.Sub(t.last))
	t.last = e.At
	t.count++
	record := t.supply.event()
	*record = events.SSEEvent{Kind: events.Some(kind(e.Name)), DurationMS: events.Some(wait)}
	delta := bytes.HasSuffix(e.Name, []byte(".delta"))
	if delta {
		t.deltas++
	}
	switch {
	case e.Tail == nil && bytes.Equal(bytes.TrimSpace(e.Data), done):
		t.completed = t.completed || t.cfg.Endpoint.Chat
	case e.Tail == nil && t.malformed(record, e.Data):
	case !delta:
		t.interpret(record, e)
	}
	tells, holds := t.tells(record, delta), t.held != nil && t.held.event == record
	if tells || holds {
		t.supply.take()
	}
	if tells && !holds {
		t.record(record, e.At)
	}
	return t.completed
}

// malformed reports whether data is not JSON, and tells why.
func (t *Turn) malformed(record *events.SSEEvent, data []byte) bool {
	record.ErrorMessage = serdeError(data, t.numbers)
	return record.ErrorMessage != ""
}

// stopsAtCompletion reports whether the agent reads nothing past a completion.
func (t *Turn) stopsAtCompletion() bool { return t.cfg.Scope.Profile.Since(87) }

// interpret follows the events that change what is known of the response. Codex
// dispatches by the JSON type and tells by the event field.
func (t *Turn) interpret(record *events.SSEEvent, e StreamEvent) {
	typ := gjson.GetBytes(e.Data, "type")
	if record.Kind.Value == "response.failed" {
		record.ErrorMessage = compact(e.Data, t.numbers)
	}
	if record.Kind.Value == "response.output_item.done" && typ.Type != gjson.String {
		record.ErrorMessage = "failed to parse response.output_item.done"
	}
	switch typ.Str {
	case "response.created", "response.in_progress", "response.queued":
		t.name(gjson.GetBytes(e.Data, "response.id").String())
	case "response.output_item.done":
		t.item(e)
	case "codex.rate_limits":
		if e.Tail == nil {
			t.quotas().event(e.Data, e.At)
		}
	case "response.output_item.added":
		if !t.ttft.Set {
			t.ttft = events.Some(events.Milliseconds(e.At.Sub(t.cfg.Start)))
		}
	case "response.completed", "response.failed", "response.incomplete", "response.done":
		t.conclude(record, typ.Str, e)
	case "":
		if t.cfg.Endpoint.Chat {
			t.chatChunk(record, e)
		}
	}
}

// chatChunk reads the usage that the last chunk of a Chat Completions stream
// has when it was asked for.
func (t *Turn) chatChunk(record *events.SSEEvent, e StreamEvent) {
	t.name(gjson.GetBytes(e.Data, "id").String())
	if usage := usageOf(gjson.GetBytes(e.Data, "usage")); usage != nil {
		record.Usage = usage
		t.told = true
	}
}

// quotas returns what is known of quotas, for more.
func (t *Turn) quotas() *limits {
	if t.limits == nil {
		t.limits = new(limits)
	}
	return t.limits
}

// name gives the records that follow the response's id.
func (t *Turn) name(id string) {
	if id == "" || len(id) > maxAgentBytes || t.cfg.Scope.ResponseID == id {
		return
	}
	scope := *t.cfg.Scope
	scope.ResponseID, scope.Memo = strings.Clone(id), new(events.Memo)
	t.cfg.Scope = &scope
	t.named(scope.ResponseID)
}

func (t *Turn) tells(record *events.SSEEvent, delta bool) bool {
	if t.cfg.WebSocket {
		return record.EndedBy != ""
	}
	switch t.cfg.Detail {
	case DetailLifecycle:
		return !delta || record.ErrorMessage != ""
	case DetailCompleted:
		return record.ErrorMessage != "" || record.EndedBy != "" || record.Usage != nil
	default:
		return true
	}
}

func (t *Turn) record(event *events.SSEEvent, at time.Time) {
	if event.EndedBy != "" && t.limits != nil {
		event.RateLimits = t.limits.result()
	}
	t.seq++
	t.cfg.Recorder.Record(events.Record{
		Event: event,
		Scope: t.cfg.Scope,
		Time:  at,
		ID:    t.id(event),
	})
}

// kind returns the event field as a string, without an allocation for the
// kinds that come by the thousand.
func kind(name []byte) string {
	switch string(name) {
	case "":
		return "message"
	case "response.output_text.delta":
		return "response.output_text.delta"
	case "response.function_call_arguments.delta":
		return "response.function_call_arguments.delta"
	case "response.custom_tool_call_input.delta":
		return "response.custom_tool_call_input.delta"
	case "response.reasoning_summary_text.delta":
		return "response.reasoning_summary_text.delta"
	case "response.reasoning_text.delta":
		return "response.reasoning_text.delta"
	default:
		return string(name)
	}
}
