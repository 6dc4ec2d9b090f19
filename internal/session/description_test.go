package session_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
)

const turnMetadata = `{"session_id":"s","turn_id":"t","thread_id":"c","request_kind":"turn","sandbox":"none","auto_review_enabled":false,` +
	`"team":"search","cost.center":"42","bad key":"x","nested":{"a":1},` +
	`"workspaces":{"/src":{"associated_remote_urls":{"fork":"git@example.com:me/repo.git","origin":"https://user:s3cret@example.com/team/repo.git?token=s3cret"},` +
	`"latest_git_commit_hash":"abc123","has_changes":true}}}`

func TestDescription(t *testing.T) {
	want := []events.Pair{events.TextPair("turn.metadata.team", "search"), events.TextPair("turn.metadata.cost.center", "42")}
	body := &responses.Request{ClientMetadata: []byte(`{"x-codex-turn-metadata":` + strconv.Quote(turnMetadata) + `}`)}
	for name, scope := range map[string]*events.Scope{
		"header": session.Identify(headers("x-codex-turn-metadata", turnMetadata), &responses.Request{}, events.Resource{}, "x"),
		"body":   session.Identify(headers(), body, events.Resource{}, "x"),
	} {
		if scope.Repository != "https://example.com/team/repo.git" || scope.Commit != "abc123" {
			t.Errorf("%s: repository %q at %q; want the origin without its credentials, at abc123", name, scope.Repository, scope.Commit)
		}
		if diff := cmp.Diff(want, scope.Metadata); diff != "" {
			t.Errorf("%s: metadata (-want +got):\n%s", name, diff)
		}
	}
}

func TestDescriptionIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"a":"` + strings.Repeat("x", 1000) + `"`)
	for i := range 100 {
		b.WriteString(`,"k` + strings.Repeat("y", i) + `":"v"`)
	}
	b.WriteString("}")
	scope := session.Identify(headers("x-codex-turn-metadata", b.String()), &responses.Request{}, events.Resource{}, "x")
	if len(scope.Metadata) != 16 || len(scope.Metadata[0].Value.Text) != 128 {
		t.Errorf("%d pairs, the first of %d bytes; want 16, 128", len(scope.Metadata), len(scope.Metadata[0].Value.Text))
	}
}
