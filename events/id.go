package events

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
)

// ID derives an event.id from what identifies a fact: the same parts give the
// same id, on any machine and after any restart. The parts are not recoverable
// from it.
func ID(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		// The length keeps ("a", "bc") and ("ab", "c") apart.
		_, _ = io.WriteString(h, strconv.Itoa(len(part))+":"+part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// ToolResultID is the event.id of the result of a call, which has one.
func ToolResultID(conversation, callID string) string {
	return ID(conversation, NameToolResult, callID)
}

// ToolDecisionID is the event.id of a decision about a call. It may have several:
// the policy lets it run, the sandbox stops it, the user is asked. What was
// decided and by whom belong to the identity, and the occasion where it is
// known.
func ToolDecisionID(conversation, callID, decision, source string, occasion ...string) string {
	return ID(append([]string{conversation, NameToolDecision, callID, decision, source}, occasion...)...)
}

// ConversationStartsID is the event.id of the first start of a conversation.
func ConversationStartsID(conversation string) string {
	return ID(conversation, NameConversationStarts)
}

// TokensID is the event.id of what a background response cost: it can be read
// again by anybody, long after the request that made it.
func TokensID(responseID string) string {
	return ID(NameSSEEvent, responseID)
}

// UserPromptID is the event.id of a prompt that stands at a place of the
// conversation: parts that are the same wherever the prompt is seen again. Its
// words take no part: the id is exported, also where the prompt is redacted, and
// must not confirm a guess.
func UserPromptID(conversation string, place ...string) string {
	return ID(append([]string{conversation, NameUserPrompt}, place...)...)
}
