package session

import (
	"strings"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// Headers gives the first value of a request header, "" when there is none.
type Headers func(name string) string

// Identify derives from a request what its events have in common. It takes
// every spelling that releases of Codex have used; exchangeID stands for the
// conversation of an agent that names none, so that nothing is ever merged
// wrongly.
func Identify(header Headers, request *responses.Request, resource events.Resource, exchangeID string) *events.Scope {
	unbounded := header
	header = func(name string) string { return bounded(unbounded(name)) }
	agent := responses.ParseAgent(unbounded("User-Agent"), unbounded("Originator"))
	resource.ServiceVersion = agent.Version
	said := describedBy(unbounded, request)
	// A WebSocket handshake has no body to name it.
	model := first(bounded(request.Model), said.text("model"))
	scope := &events.Scope{
		ConversationID: conversationID(header, request, said, agent.Codex, exchangeID),
		AppVersion:     agent.Version,
		AuthMode:       authMode(unbounded, agent),
		Originator:     agent.Originator,
		AccountID:      header("Chatgpt-Account-Id"),
		TerminalType:   agent.Terminal,
		Model:          model,
		Slug:           model,
		TurnID:         first(bounded(request.Metadata("turn_id")), said.text("turn_id")),
		Resource:       &resource,
		Profile:        agent.Profile(),
	}
	said.relate(scope, header, request)
	said.describe(scope)
	return scope
}

// conversationID finds Codex's thread id: in the body first, since the headers
// of a WebSocket are as old as the connection; then the thread headers, and the
// session headers of older releases; the API's own conversation for any other
// agent.
func conversationID(header Headers, request *responses.Request, said description, codex bool, exchangeID string) string {
	id := first(
		bounded(request.Metadata("thread_id")),
		header("Thread-Id"),
		said.text("thread_id"),
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
