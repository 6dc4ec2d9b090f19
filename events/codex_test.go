package events

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// expand returns the records that the codex schema makes of an event told by an
// agent of the profile.
func expand(profile Profile, id string, event Event) []Record {
	var told []Record
	e := &Encoder{Schema: SchemaCodex}
	e.Expand(
		Record{Event: event, Scope: &Scope{Originator: "codex_exec", Profile: profile}, ID: id},
		func(r Record) { told = append(told, r) },
	)
	return told
}

// completion is a completion as the proxy sees it, with everything it can have.
func completion() *SSEEvent {
	return &SSEEvent{
		Kind:            Some("response.completed"),
		DurationMS:      Int64(3),
		Usage:           &Usage{Input: 1200, Output: 42, Total: 1242},
		TTFTMS:          Int64(23),
		ServiceTier:     "flex",
		ReasoningEffort: "low",
		EndedBy:         "completed",
		StreamEvents:    Int64(6),
		StreamDeltas:    Int64(1),
		StreamBytes:     Int64(1400),
	}
}

func TestExpandDoublesCompletion(t *testing.T) {
	seen := completion()
	told := expand(CodexProfile("0.169.0"), "abc", seen)
	if len(told) != 2 {
		t.Fatalf("Expand() yields %d records; want 2", len(told))
	}
	plain, tokens := *completion(), *completion()
	plain.Usage, plain.TTFTMS, plain.ServiceTier, plain.ReasoningEffort = nil, Opt[int64]{}, "", ""
	plain.EndedBy, plain.StreamEvents, plain.StreamDeltas, plain.StreamBytes = "", Opt[int64]{}, Opt[int64]{}, Opt[int64]{}
	tokens.DurationMS = Opt[int64]{}
	tokens.Usage = &Usage{Input: 1200, Output: 42, Total: 1242, Cached: Int64(0), Reasoning: Int64(0), CacheWrite: Int64(0)}
	if diff := cmp.Diff(&plain, told[0].Event); diff != "" {
		t.Errorf("first record (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&tokens, told[1].Event); diff != "" {
		t.Errorf("second record (-want +got):\n%s", diff)
	}
	if told[0].ID != "abc" || told[1].ID != "abc-tokens" {
		t.Errorf("ids = %q, %q; want abc, abc-tokens", told[0].ID, told[1].ID)
	}
	if diff := cmp.Diff(completion(), seen); diff != "" {
		t.Errorf("Expand changed the event it was given (-want +got):\n%s", diff)
	}
}

// Codex counts WebSocket events in no log, so their completion has no first half.
func TestExpandCompletionWithoutDuration(t *testing.T) {
	event := completion()
	event.DurationMS = Opt[int64]{}
	told := expand(CodexProfile("0.169.0"), "abc", event)
	if len(told) != 1 {
		t.Fatalf("Expand() yields %d records; want 1", len(told))
	}
	if told[0].ID != "abc" || told[0].Event.(*SSEEvent).Usage == nil {
		t.Errorf("record = %+v; want the tokens under the id abc", told[0])
	}
}

// An id that is a constant would make a backend drop all completions but one.
func TestExpandInventsNoID(t *testing.T) {
	for _, r := range expand(CodexProfile("0.45.0"), "", completion()) {
		if r.ID != "" {
			t.Errorf("ID = %q; want none", r.ID)
		}
	}
}

func TestExpandCompletionWithoutUsage(t *testing.T) {
	event := completion()
	event.Usage = nil
	told := expand(CodexProfile("0.45.0"), "abc", event)
	if len(told) != 1 {
		t.Fatalf("Expand() yields %d records; want 1", len(told))
	}
	got := told[0].Event.(*SSEEvent)
	if got.TTFTMS.Set || got.ServiceTier != "" || got.ReasoningEffort != "" {
		t.Errorf("event = %+v; want nothing that Codex tells with the tokens", got)
	}
	if got.DurationMS != Int64(3) || got.StreamEvents != Int64(6) {
		t.Errorf("event = %+v; want its duration and the counts of the stream", got)
	}
}

func TestExpandFailureHasNoTokens(t *testing.T) {
	event := completion()
	event.ErrorMessage = "stream disconnected before completion: we failed"
	event.DurationMS = Opt[int64]{}
	told := expand(CodexProfile("0.169.0"), "abc", event)
	if len(told) != 1 {
		t.Fatalf("Expand() yields %d records; want 1", len(told))
	}
	if got := told[0].Event.(*SSEEvent); got.Usage != nil || got.TTFTMS.Set || got.ServiceTier != "" {
		t.Errorf("event = %+v; want no tokens, no ttft_ms and no service_tier", got)
	}
}

func TestExpandSilentAboutDepartedClient(t *testing.T) {
	gone := []Event{
		&APIRequest{ErrorMessage: "context canceled", ClientGone: true},
		&SSEEvent{EndedBy: "client", ClientGone: true},
		&SSEEvent{EndedBy: "client", ClientGone: true, Usage: &Usage{}, ErrorMessage: "gone"},
	}
	for _, event := range gone {
		if told := expand(CodexProfile("0.169.0"), "abc", event); len(told) != 0 {
			t.Errorf("Expand(%+v) yields %d records; want none", event, len(told))
		}
		typed := encode(&Encoder{}, Record{Event: event, Scope: &Scope{}})
		if len(typed) != 1 {
			t.Errorf("the typed schema tells %+v %d times; want once", event, len(typed))
		}
	}
}

func TestExpandErrorMessageOfRequest(t *testing.T) {
	refused := &APIRequest{StatusCode: Int64(500), ErrorMessage: "http 500"}
	broken := &APIRequest{ErrorMessage: "connection refused"}
	tests := []struct {
		version string
		event   *APIRequest
		want    string
	}{
		{"0.63.0", refused, ""},
		{"0.64.0", refused, "http 500"},
		{"0.63.0", broken, "connection refused"},
		{"0.64.0", broken, "connection refused"},
	}
	for _, test := range tests {
		told := expand(CodexProfile(test.version), "abc", test.event)
		if got := told[0].Event.(*APIRequest).ErrorMessage; got != test.want {
			t.Errorf("error.message of %s = %q; want %q", test.version, got, test.want)
		}
	}
	if refused.ErrorMessage == "" {
		t.Error("Expand changed the event it was given")
	}
}

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
				for key, value := range values(t, attrs) {
					all[key] = value
				}
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
