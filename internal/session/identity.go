package session

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// Headers gives the first value of a request header, "" when there is none.
type Headers func(name string) string

// Identify derives from a request what its events have in common. It takes
// every spelling that releases of Codex have used; exchangeID stands for the
// conversation of an agent that names none, so that nothing is ever merged
// wrongly.
func Identify(header Headers, request responses.Request, resource events.Resource, exchangeID string) *events.Scope {
	unbounded := header
	header = func(name string) string { return bounded(unbounded(name)) }
	agent := responses.ParseAgent(unbounded("User-Agent"), unbounded("Originator"))
	resource.ServiceVersion = agent.Version
	turn := unbounded("X-Codex-Turn-Metadata")
	// A WebSocket handshake has no body to name it.
	model := first(bounded(request.Model), bounded(gjson.Get(turn, "model").String()))
	scope := &events.Scope{
		ConversationID: conversationID(header, request, turn, agent.Codex, exchangeID),
		AppVersion:     agent.Version,
		AuthMode:       authMode(unbounded, agent),
		Originator:     agent.Originator,
		AccountID:      header("Chatgpt-Account-Id"),
		TerminalType:   agent.Terminal,
		Model:          model,
		Slug:           model,
		TurnID:         first(bounded(request.Metadata("turn_id")), bounded(gjson.Get(turn, "turn_id").String())),
		Resource:       &resource,
		Profile:        agent.Profile(),
	}
	describe(scope, first(request.Metadata("x-codex-turn-metadata"), turn))
	return scope
}

// conversationID finds Codex's thread id: the thread headers first, the session
// headers of older releases after, then the body; the API's own conversation for
// any other agent.
func conversationID(header Headers, request responses.Request, turn string, codex bool, exchangeID string) string {
	id := first(
		header("Thread-Id"),
		bounded(gjson.Get(turn, "thread_id").String()),
		bounded(request.Metadata("thread_id")),
		header("Conversation_id"),
		header("Session-Id"),
		header("Session_id"),
		bounded(request.Conversation),
	)
	if id == "" && codex {
		id = bounded(request.PromptCacheKey)
	}
	return first(id, exchangeID)
}

// authMode tells how a request is authenticated, where the wire shows it. A
// Codex with a custom provider sends a key it does not count as its login; only
// the built-in provider sends the version header.
func authMode(header Headers, agent responses.Agent) string {
	token, bearer := strings.CutPrefix(header("Authorization"), "Bearer ")
	switch {
	case header("Chatgpt-Account-Id") != "", bearer && strings.HasPrefix(token, "eyJ") && strings.Count(token, ".") == 2:
		return "ChatGPT"
	case agent.Codex && header("Version") == "":
		return ""
	case bearer && strings.HasPrefix(token, "sk-"), header("Api-Key") != "":
		return "ApiKey"
	default:
		return ""
	}
}

// maxValueBytes bounds what is kept of a value that the agent chose: a scope
// lives as long as its conversation is remembered.
const maxValueBytes = 256

// bounded returns value cut to maxValueBytes, on its own where it was cut out of
// something larger.
func bounded(value string) string {
	return strings.Clone(strings.ToValidUTF8(value[:min(len(value), maxValueBytes)], ""))
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
