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
