package responses

import (
	"time"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// conclude takes an event that ends a response: it turns the record of a
// completion into one, and remembers for the end of the stream how a response
// failed.
func (t *Turn) conclude(record *events.SSEEvent, kind string, e StreamEvent) {
	profile := t.cfg.Scope.Profile
	if profile.Codex && e.Tail == nil && !readable(e.Data, profile) {
		return
	}
	response := gjson.GetBytes(e.Data, "response")
	t.name(response.Get("id").String())
	usage := usageIn(response, e.Tail, 2)
	text := ""
	switch {
	case completes(kind, response, profile):
		if response.Type == gjson.Null {
			return // no response in it
		}
		if e.Tail == nil {
			text = completionText(response, profile)
		}
		if text == "" {
			record.Usage = t.charge(response, usage, e.At)
			t.output(responseOf(e.Data), e.At, e.Tail != nil)
			t.finish(record, e.At)
			return
		}
	case kind == "response.failed":
		text = failureText(response, profile)
	case kind == "response.incomplete":
		text = incompleteText(response, profile)
	default:
		return
	}
	if text != "" {
		t.failure = text
	}
	t.usage = t.charge(response, usage, e.At)
}

// finish fills in what a completion tells beside its tokens.
func (t *Turn) finish(record *events.SSEEvent, at time.Time) {
	t.completed, t.told = true, true
	record.TTFTMS = t.ttft
	if !t.cfg.Request.WarmsUp { // which asks for nothing yet
		record.ServiceTier = t.cfg.Request.ServiceTier
		record.ReasoningEffort = t.cfg.Request.ReasoningEffort
	}
	record.EndedBy = "completed"
	if t.cfg.WebSocket {
		record.DurationMS = events.Opt[int64]{}
	}
	record.StreamEvents = events.Some(t.count)
	record.StreamDeltas = events.Some(t.deltas)
	if !t.stopsAtCompletion() {
		t.held = &held{record, at}
	}
}
