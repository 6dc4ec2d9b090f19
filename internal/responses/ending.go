package responses

import (
	"time"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// Ending says how the body of a response ended.
type Ending struct {
	By    string // completed, upstream, client, idle or proxy
	Err   error  // why it broke, nil at a clean end
	Bytes int64
	At    time.Time
	// Unread reports that the body could not be looked at to its end. Then how
	// the response ended is not known, and not told.
	Unread bool
}

// idleText is what Codex says of a stream that went silent.
const idleText = "idle timeout waiting for SSE"

// End tells how a stream ended. A stream that was completed has told already;
// any other ends in exactly one record with stream.ended_by.
func (t *Turn) End(end Ending) {
	t.release(end)
	if t.completed || t.told && t.cfg.Endpoint.Chat || end.Unread {
		return
	}
	last := &events.SSEEvent{
		EndedBy:      end.By,
		StreamEvents: events.Some(t.count),
		StreamDeltas: events.Some(t.deltas),
		StreamBytes:  events.Some(end.Bytes),
		Usage:        t.usage,
	}
	wait := events.Some(events.Milliseconds(end.At.Sub(t.last)))
	switch {
	case end.By == "client" && t.failure == "":
		last.DurationMS = wait
		last.ErrorMessage, last.ClientGone = "the agent closed the stream before it was complete", true
	case t.cfg.WebSocket && t.failure == "":
		if t.tellsMessages() {
			t.messageEvent(&events.WebSocketEvent{Kind: unknownKind, ErrorMessage: socketText(end)}, end.At)
		}
		last.Kind, last.ErrorMessage = events.Some("response.completed"), disconnected+socketText(end)
	case end.By == "idle":
		t.broke(last, idleText, wait, end.At)
	case end.Err != nil && end.By != "client":
		t.broke(last, t.transportText(), wait, end.At)
	case t.invalid != "":
		t.broke(last, t.invalid, wait, end.At)
	case t.failure != "":
		last.Kind, last.ErrorMessage = events.Some("response.completed"), t.failure
	case t.cfg.Endpoint.Chat:
		last.DurationMS, last.ErrorMessage = wait, "stream closed before [DONE]"
	default:
		last.Kind = events.Some("response.completed")
		last.ErrorMessage = disconnected + "stream closed before response.completed"
	}
	t.record(last, end.At)
}

// broke fills in the end of a stream that broke with text, whatever it said
// before. Codex tells the break in one record and, since 0.64, the missing
// completion in another.
func (t *Turn) broke(last *events.SSEEvent, text string, wait events.Opt[int64], at time.Time) {
	if t.cfg.Scope.Profile.Seed() || t.cfg.Endpoint.Chat {
		last.DurationMS, last.ErrorMessage = wait, text
		return
	}
	t.record(&events.SSEEvent{DurationMS: wait, ErrorMessage: text}, at)
	last.Kind, last.ErrorMessage = events.Some("response.completed"), disconnected+text
}

// transportText is Codex's text for a body that the upstream cut short. The
// cause is the proxy's to see, the words are the agent's.
func (t *Turn) transportText() string {
	text := t.cfg.Scope.Profile.StreamErrorText()
	if t.cfg.CFRay != "" && t.cfg.Scope.Profile.StreamErrorNamesRay() {
		text += ", request id: " + t.cfg.CFRay
	}
	return text
}

// Document tells of a response that came as one JSON document. A stored one is
// told by the first document, or stream, that shows it at its end.
func (t *Turn) Document(body, tail []byte, end Ending) {
	stored := t.cfg.Endpoint.Stored
	if !t.cfg.Endpoint.Generates && !stored || end.By != "completed" || end.Unread {
		return
	}
	response := gjson.ParseBytes(body[:skipValue(body, skipSpace(body, 0))])
	t.name(response.Get("id").String())
	status := response.Get("status").String()
	if status == "queued" || status == "in_progress" || stored && status == "" {
		return
	}
	usage := usageIn(response, tail, 1)
	failed := status == "failed" || status == "incomplete"
	if (usage != nil || failed) && !t.charges(response, end.At) {
		return
	}
	t.output(body, end.At, tail != nil)
	record := &events.SSEEvent{
		Kind:        events.Some("response.completed"),
		DurationMS:  events.Some(events.Milliseconds(end.At.Sub(t.cfg.Start))),
		EndedBy:     end.By,
		StreamBytes: events.Some(end.Bytes),
		Usage:       usage,
	}
	switch {
	case tail == nil && !gjson.ValidBytes(body):
		record.ErrorMessage = serdeError(body, t.numbers)
	case status == "failed":
		record.Kind = events.Some("response.failed")
		record.ErrorMessage = response.Get("error.message").String()
		if record.ErrorMessage == "" {
			record.ErrorMessage = "the response failed"
		}
	case status == "incomplete":
		record.Kind = events.Some("response.incomplete")
		record.ErrorMessage = "Incomplete response returned, reason: " + response.Get("incomplete_details.reason").String()
	case usage == nil:
		return
	case status == "cancelled":
		record.Kind = events.Some("response.cancelled")
	}
	record.ServiceTier, record.ReasoningEffort = t.cfg.Request.ServiceTier, t.cfg.Request.ReasoningEffort
	t.record(record, end.At)
}
