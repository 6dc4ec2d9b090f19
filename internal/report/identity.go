package report

import (
	"crypto/rand"
	"strconv"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// fact is what tells a reported fact from all others.
type fact struct {
	name         string // of the event
	conversation string
	tool, call   string
	decision     string
	decider      string
	length       int64 // of a prompt
	at           time.Time
	timed        bool // at is the agent's own
	from         origin
}

// identify returns the event.id of an item: the agent's own, or that of its fact.
func identify(e *entry, told map[string]value, at time.Time, from origin) string {
	if id, ok := told[keyID]; ok {
		return id.text
	}
	_, timed := told[keyTimestamp]
	return fact{
		name:         e.name,
		conversation: told["conversation.id"].text,
		tool:         told["tool_name"].text,
		call:         told["call_id"].text,
		decision:     told["decision"].text,
		decider:      told["source"].text,
		length:       told["prompt_length"].number,
		at:           at,
		timed:        timed,
		from:         from,
	}.id()
}

// id returns the event.id, derived from what tells this fact from all others.
//
//   - A tool call has one result: conversation, event and call_id.
//   - A tool call may have several decisions: the policy lets it run, the
//     sandbox stops it, the user is asked. Decision and source belong to the
//     identity, and the occasion, since a user may approve the same call twice.
//   - Anything else is known by its occasion. Without one it gets a random id:
//     the same words said twice are two prompts.
//
// The occasion is the event.timestamp, and the Idempotency-Key with the item's
// position, as far as given. The words of a prompt take no part: the id is
// exported, also where the prompt is redacted, and must not confirm a guess.
func (f fact) id() string {
	occasion := f.occasion()
	switch {
	case f.name == events.NameToolResult && f.call != "":
		return events.ID(f.conversation, f.name, f.call)
	case f.name == events.NameToolDecision:
		parts := []string{f.conversation, f.name, f.call, f.decision, f.decider}
		return events.ID(append(parts, occasion...)...)
	case occasion == nil:
		return rand.Text()
	default:
		parts := []string{f.conversation, f.name, f.tool, strconv.FormatInt(f.length, 10)}
		return events.ID(append(parts, occasion...)...)
	}
}

// occasion returns what tells a fact from an equal one, nil when nothing does.
func (f fact) occasion() []string {
	var occasion []string
	if f.timed {
		occasion = append(occasion, "at", f.at.UTC().Format(time.RFC3339Nano))
	}
	if f.from.key != "" {
		occasion = append(occasion, "key", f.from.key, strconv.Itoa(f.from.index))
	}
	return occasion
}
