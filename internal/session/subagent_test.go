package session_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
)

// related is what a scope tells of other conversations.
type related struct{ Session, Subagent, Parent, Fork, ParentTurn, RootTurn, Kind string }

func relatedOf(scope *events.Scope) related {
	return related{
		scope.SessionID, scope.Subagent, scope.ParentID, scope.ForkedFromID, scope.ParentTurnID, scope.RootTurnID, scope.RequestKind,
	}
}

// Requests of a real sub-agent say whose it is, in headers and in the body, and
// those of the user's own thread say nothing of the kind.
func TestSubAgentIsToldApart(t *testing.T) {
	for file, kind := range map[string]string{"spawned": "collab_spawn", "forked": "collab_spawn", "review": "review"} {
		path := filepath.Join("testdata", "0.169.0-"+file+".json")
		subagents := 0
		for _, request := range readRun(t, path).Requests {
			metadata, err := json.Marshal(request.Body["client_metadata"])
			if err != nil {
				t.Fatal(err)
			}
			body := &responses.Request{ClientMetadata: metadata}
			var pairs []string
			for name, value := range request.Headers {
				pairs = append(pairs, name, value)
			}
			whole := session.Identify(headers(pairs...), body, events.Resource{}, "x")
			want := related{}
			if id := whole.ConversationID; !strings.HasPrefix(request.Headers["x-codex-window-id"], request.Headers["session-id"]) {
				subagents++
				want = related{Subagent: kind, Session: request.Headers["session-id"], Parent: request.Headers["session-id"]}
				want.ParentTurn, want.RootTurn = whole.ParentTurnID, whole.RootTurnID
				if id != request.Headers["thread-id"] || want.ParentTurn == "" || want.RootTurn != want.ParentTurn {
					t.Errorf("%s: conversation %q, parent turn %q, root turn %q", file, id, want.ParentTurn, want.RootTurn)
				}
			}
			for source, scope := range map[string]*events.Scope{
				"both": whole, "headers": session.Identify(headers(pairs...), &responses.Request{}, events.Resource{}, "x"),
				"body": session.Identify(headers(), body, events.Resource{}, "x"),
			} {
				if diff := cmp.Diff(want, relatedOf(scope)); diff != "" {
					t.Errorf("%s, %s (-want +got):\n%s", file, source, diff)
				}
				if scope.ConversationID != whole.ConversationID || scope.TurnID != whole.TurnID || scope.TurnID == "" {
					t.Errorf("%s, %s: conversation %q, turn %q", file, source, scope.ConversationID, scope.TurnID)
				}
			}
		}
		if subagents == 0 {
			t.Errorf("%s has no request of a sub-agent", file)
		}
	}
}

// The headers of a WebSocket are as old as the connection; the body says what is
// so now.
func TestBodyIsNewerThanHeaders(t *testing.T) {
	const old = `{"thread_id":"old","turn_id":"old","session_id":"old","request_kind":"prewarm","subagent_kind":"old","parent_thread_id":"old",` +
		`"forked_from_thread_id":"old","parent_turn_id":"old","root_turn_id":"old","team":"old"}`
	header := headers("x-codex-turn-metadata", old, "thread-id", "old", "session-id", "old", "x-openai-subagent", "old", "x-codex-parent-thread-id", "old")
	said := strings.ReplaceAll(strings.Replace(old, "prewarm", "memory", 1), "old", "new")
	metadata, err := json.Marshal(map[string]string{
		"x-codex-turn-metadata": said, "thread_id": "new", "turn_id": "turn", "session_id": "new session",
		"x-openai-subagent": "new", "x-codex-parent-thread-id": "new",
	})
	if err != nil {
		t.Fatal(err)
	}
	scope := session.Identify(header, &responses.Request{ClientMetadata: metadata}, events.Resource{}, "x")
	want := related{"new session", "new", "new", "new", "new", "new", "memory"}
	if diff := cmp.Diff(want, relatedOf(scope)); diff != "" || scope.ConversationID != "new" || scope.TurnID != "turn" {
		t.Errorf("conversation %q, turn %q (-want +got):\n%s", scope.ConversationID, scope.TurnID, diff)
	}
	if diff := cmp.Diff([]events.Pair{events.TextPair("turn.metadata.team", "new")}, scope.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

// A remote that cannot be read may have a password anywhere.
func TestRepositoryWithoutCredentials(t *testing.T) {
	for remote, want := range map[string]string{
		"git@example.com:me/repo.git":              "git@example.com:me/repo.git",
		"https://example.com/repo.git":             "https://example.com/repo.git",
		"ssh://git:s3cret@example.com/repo.git":    "ssh://example.com/repo.git",
		"https://user:s3%zzcret@example.com/r.git": "",
		"/srv/repo.git":                            "/srv/repo.git",
	} {
		said, err := json.Marshal(map[string]any{"workspaces": map[string]any{"/src": map[string]any{"associated_remote_urls": map[string]string{"origin": remote}}}})
		if err != nil {
			t.Fatal(err)
		}
		scope := session.Identify(headers("x-codex-turn-metadata", string(said)), &responses.Request{}, events.Resource{}, "x")
		if scope.Repository != want {
			t.Errorf("repository of %q = %q; want %q", remote, scope.Repository, want)
		}
	}
}
