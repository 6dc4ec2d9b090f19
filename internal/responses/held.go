package responses

import (
	"context"
	"errors"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// held is the completion of an agent that believes in it only when the stream
// ends: it tells of the event when that comes and of the tokens at the end. Most
// often there is nothing in between, and one record tells both.
type held struct {
	event *events.SSEEvent
	at    time.Time
}

// split tells of the completion held, if any, that its event came: others
// follow it.
func (t *Turn) split() {
	if t.held == nil || !t.held.event.DurationMS.Set {
		return
	}
	whole := t.held.event
	came := &events.SSEEvent{Kind: whole.Kind, DurationMS: whole.DurationMS}
	if t.tells(came, false) {
		t.record(came, t.held.at)
	}
	rest := *whole
	rest.Kind, rest.DurationMS = events.Some("response.completed"), events.Opt[int64]{}
	t.held.event = &rest
}

// release tells of the completion held, if any, when the stream ends. It was
// none for Codex if the stream broke after it.
func (t *Turn) release(end Ending) {
	if t.held == nil {
		return
	}
	broke := end.By == "idle" || end.Err != nil && !errors.Is(end.Err, context.Canceled) || t.invalid != ""
	if broke {
		t.split()
		t.usage, t.completed = t.held.event.Usage, false
		return
	}
	at := t.held.at
	if !t.held.event.DurationMS.Set {
		at = end.At
	}
	t.record(t.held.event, at)
}
