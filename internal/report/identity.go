package report

import (
	"crypto/rand"
	"strconv"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// identify returns the event.id of an item: the agent's own, or one derived
// from what tells this fact from all others.
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
func identify(e *entry, told map[string]value, at time.Time, from origin) string {
	if id, ok := told[keyID]; ok {
		return id.text
	}
	conversation := told["conversation.id"].text
	call, hasCall := told["call_id"]
	occasion := occasionOf(told, at, from)
	switch {
	case e.name == events.NameToolResult && hasCall:
		return events.ID(conversation, e.name, call.text)
	case e.name == events.NameToolDecision:
		parts := []string{conversation, e.name, call.text, told["decision"].text, told["source"].text}
		return events.ID(append(parts, occasion...)...)
	case occasion == nil:
		return rand.Text()
	default:
		length := strconv.FormatInt(told["prompt_length"].number, 10)
		parts := []string{conversation, e.name, told["tool_name"].text, length}
		return events.ID(append(parts, occasion...)...)
	}
}

// occasionOf returns what tells an item from an equal one, nil when nothing
// does.
func occasionOf(told map[string]value, at time.Time, from origin) []string {
	var occasion []string
	if _, ok := told[keyTimestamp]; ok {
		occasion = append(occasion, "at", at.UTC().Format(time.RFC3339Nano))
	}
	if from.key != "" {
		occasion = append(occasion, "key", from.key, strconv.Itoa(from.index))
	}
	return occasion
}
