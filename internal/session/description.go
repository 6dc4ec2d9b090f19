package session

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// Bounds of what a user may add, as Codex has them for responses_api_metadata.
const (
	maxMetadata           = 16
	maxMetadataKeyBytes   = 64
	maxMetadataValueBytes = 128
)

// metadataKey is what a key of the user's own looks like.
var metadataKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)

// description is what Codex says of a request in x-codex-turn-metadata
// (core/src/responses_metadata.rs).
type description struct{ gjson.Result }

// describedBy reads the description from the body, or from its header: that of a
// WebSocket is as old as the connection.
func describedBy(header Headers, request *responses.Request) description {
	return description{gjson.Parse(first(request.Metadata("x-codex-turn-metadata"), header("X-Codex-Turn-Metadata")))}
}

// text returns a string of the description, "" for none.
func (d description) text(key string) string { return bounded(d.Get(key).String()) }

// relate adds to a scope how its conversation belongs to others, and what the
// request is for. A scope that leaves out what it is itself is smaller, and there
// is one on every record.
func (d description) relate(scope *events.Scope, header Headers, request *responses.Request) {
	flat := func(key string) string { return bounded(request.Metadata(key)) }
	scope.Subagent = first(flat("x-openai-subagent"), header("X-Openai-Subagent"), d.text("subagent_kind"))
	scope.ParentID = first(flat("x-codex-parent-thread-id"), header("X-Codex-Parent-Thread-Id"), d.text("parent_thread_id"))
	scope.ForkedFromID = d.text("forked_from_thread_id")
	scope.ParentTurnID = first(flat("parent_turn_id"), d.text("parent_turn_id"))
	scope.RootTurnID = unless(scope.TurnID, first(flat("root_turn_id"), d.text("root_turn_id")))
	scope.SessionID = unless(scope.ConversationID, first(flat("session_id"), header("Session-Id"), d.text("session_id")))
	scope.RequestKind = unless("turn", d.text("request_kind"))
}

// unless returns value, "" if it is the same as usual.
func unless(usual, value string) string {
	if value == usual {
		return ""
	}
	return value
}

// describe adds to a scope where the workspace of a turn comes from, and what the
// user has Codex say.
func (d description) describe(scope *events.Scope) {
	d.Get("workspaces").ForEach(func(_, workspace gjson.Result) bool {
		scope.Repository = repository(workspace.Get("associated_remote_urls"))
		scope.Commit = bounded(workspace.Get("latest_git_commit_hash").String())
		// The first is the one that the agent was started in.
		return scope.Repository == "" && scope.Commit == ""
	})
	d.ForEach(func(key, value gjson.Result) bool {
		name := key.Str
		if ofCodex(name) || value.Type != gjson.String || len(name) > maxMetadataKeyBytes || !metadataKey.MatchString(name) {
			return true
		}
		text := bounded(value.Str)
		scope.Metadata = append(scope.Metadata, events.TextPair("turn.metadata."+name, text[:min(len(text), maxMetadataValueBytes)]))
		return len(scope.Metadata) < maxMetadata
	})
}

// repository returns the URL of origin, or else of the first remote, without
// what may be a credential.
func repository(remotes gjson.Result) string {
	remote := remotes.Get("origin").String()
	if remote == "" {
		remotes.ForEach(func(_, value gjson.Result) bool {
			remote = value.String()
			return false
		})
	}
	remote = bounded(remote)
	if !strings.Contains(remote, "://") {
		return remote // user@host:path, which has no password
	}
	parsed, err := url.Parse(remote)
	if err != nil {
		return "" // Whatever is in it.
	}
	parsed.User, parsed.RawQuery, parsed.Fragment = nil, "", ""
	return parsed.String()
}

// ofCodex reports whether a key is one of the strings that Codex itself sends, as
// of 0.169. The keys of users stand beside them.
func ofCodex(key string) bool {
	return slices.Contains([]string{
		"installation_id", "session_id", "thread_id", "agent_name", "turn_id", "window_id", "window_number", "context_window_id",
		"request_kind", "history_initialization", "forked_from_thread_id", "parent_thread_id", "parent_turn_id", "root_turn_id",
		"subagent_kind", "thread_source", "sandbox", "sandbox_mode", "model", "mcp_attribution", "turn_trigger",
		"history_ingest_requested", "forked_from_ordinal_exclusive", "reasoning_effort", "reasoning_summary", "service_tier",
	}, key)
}
