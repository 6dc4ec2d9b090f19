package session

import (
	"net/url"
	"regexp"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// Bounds of what a user may add, as Codex has them for responses_api_metadata.
const (
	maxMetadata           = 16
	maxMetadataKeyBytes   = 64
	maxMetadataValueBytes = 128
)

// metadataKey is what a key of the user's own looks like.
var metadataKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)

// describe adds to a scope what Codex says of a turn in x-codex-turn-metadata
// (core/src/responses_metadata.rs): where its workspace comes from, and what the
// user has it say.
func describe(scope *events.Scope, raw string) {
	if raw == "" {
		return
	}
	description := gjson.Parse(raw)
	description.Get("workspaces").ForEach(func(_, workspace gjson.Result) bool {
		scope.Repository = repository(workspace.Get("associated_remote_urls"))
		scope.Commit = bounded(workspace.Get("latest_git_commit_hash").String())
		// The first is the one that the agent was started in.
		return scope.Repository == "" && scope.Commit == ""
	})
	description.ForEach(func(key, value gjson.Result) bool {
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
	parsed, err := url.Parse(remote)
	if err != nil || parsed.Scheme == "" {
		return remote // user@host:path, which has no password
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
