package events

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExpandSpellsDecisions(t *testing.T) {
	tests := []struct {
		version, decision, source string
		wantDecision, wantSource  string
	}{
		{"0.147.0", DecisionApprovedForSession, DecidedByUser, "approvedforsession", "User"},
		{"0.148.0", DecisionApprovedForSession, DecidedByUser, "approved_for_session", "User"},
		{"0.45.0", DecisionApproved, DecidedByConfig, "approved", "Config"},
		{"0.169.0", DecisionAbort, "", "abort", ""},
	}
	for _, test := range tests {
		event := &ToolDecision{Decision: test.decision, Decider: NonEmpty(test.source)}
		got := expand(CodexProfile(test.version), "abc", event)[0].Event.(*ToolDecision)
		if got.Decision != test.wantDecision || got.Decider != NonEmpty(test.wantSource) {
			t.Errorf("%s: decision, source = %q, %v; want %q, %q", test.version, got.Decision, got.Decider, test.wantDecision, test.wantSource)
		}
		if event.Decision != test.decision || event.Decider.Value != test.source {
			t.Errorf("Expand changed the event it was given to %+v", event)
		}
	}
}

// A release tells only what it knew of: nothing named like Codex's is invented.
func TestExpandLeavesOutLaterAttributes(t *testing.T) {
	tests := []struct {
		event      Event
		attributes []string
		last       string // last release without them
		first      string // first release with them
	}{
		{&UserPrompt{}, []string{"originator"}, "0.98.0", "0.99.0"},
		{&ToolResult{}, []string{"mcp_server", "mcp_server_origin"}, "0.104.0", "0.105.0"},
		{
			&APIRequest{},
			[]string{
				"endpoint", "auth.header_attached", "auth.header_name", "auth.retry_after_unauthorized",
				"auth.request_id", "auth.cf_ray", "auth.error", "auth.error_code",
			},
			"0.114.0", "0.115.0",
		},
		{&SSEEvent{}, []string{"ttft_ms"}, "0.142.5", "0.143.0"},
		{&SSEEvent{}, []string{"cache_write_token_count", "service_tier", "model_reasoning_effort"}, "0.144.6", "0.145.0"},
	}
	for _, test := range tests {
		for _, version := range []string{test.last, test.first} {
			r := full(test.event)
			if sse, ok := r.Event.(*SSEEvent); ok {
				sse.ErrorMessage = ""
			}
			r.Scope.Profile = CodexProfile(version)
			all := map[string]any{}
			for _, attrs := range encode(&Encoder{Schema: SchemaCodex}, r) {
				maps.Copy(all, values(t, attrs))
			}
			for _, name := range test.attributes {
				if _, got := all[name]; got != (version == test.first) {
					t.Errorf("%s %s tells %s = %t; want %t", test.event.EventName(), version, name, got, version == test.first)
				}
			}
		}
	}
}

func TestExpandSpellsAuthMode(t *testing.T) {
	tests := []struct{ version, mode, want string }{
		{"0.92.0", "ChatGPT", "ChatGPT"},
		{"0.93.0", "ChatGPT", "Chatgpt"},
		{"0.169.0", "ApiKey", "ApiKey"},
		{"0.169.0", "", ""},
	}
	for _, test := range tests {
		scope := &Scope{AuthMode: test.mode, Profile: CodexProfile(test.version)}
		(&Encoder{Schema: SchemaCodex}).Expand(Record{Event: &UserPrompt{}, Scope: scope}, func(r Record) {
			if r.Scope.AuthMode != test.want {
				t.Errorf("auth_mode of %s = %q; want %q", test.version, r.Scope.AuthMode, test.want)
			}
		})
		if scope.AuthMode != test.mode {
			t.Errorf("Expand changed the scope it was given to %q", scope.AuthMode)
		}
	}
}

func TestExpandZeroFillsTokens(t *testing.T) {
	none, zero, some := Opt[int64]{}, Int64(0), Int64(5)
	tests := []struct {
		version string
		usage   Usage
		want    Usage
	}{
		{"0.63.0", Usage{}, Usage{}},
		{"0.63.0", Usage{Cached: some}, Usage{Cached: some}},
		{"0.64.0", Usage{}, Usage{Cached: zero, Reasoning: zero, CacheWrite: none}},
		{"0.144.6", Usage{Reasoning: some, CacheWrite: some}, Usage{Cached: zero, Reasoning: some}},
		{"0.145.0", Usage{Cached: some}, Usage{Cached: some, Reasoning: zero, CacheWrite: zero}},
	}
	for _, test := range tests {
		told := expand(CodexProfile(test.version), "abc", &SSEEvent{Kind: Some("response.completed"), Usage: &test.usage})
		if diff := cmp.Diff(&test.want, told[0].Event.(*SSEEvent).Usage); diff != "" {
			t.Errorf("usage of %s (-want +got):\n%s", test.version, diff)
		}
	}
}
