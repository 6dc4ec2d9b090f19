package events

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// startupPhase is a record of Codex's that the catalogue does not have.
func startupPhase() *Foreign {
	return &Foreign{
		Origin:         &Origin{ScopeName: "codex_otel.log_only"},
		RecordName:     "event otel/src/events/session_telemetry.rs:377",
		SeverityNumber: SeverityInfo,
		Attributes: []Pair{
			TextPair("event.name", "codex.startup_phase"),
			TextPair("startup.phase", "create_thread"),
			{Key: "count", Value: Value{Kind: ValueInt, Int: 3}},
			{Key: "nested", Value: Value{Kind: ValueMap, Map: []Pair{TextPair("k", "v")}}},
			TextPair("conversation.id", "c1"),
		},
	}
}

func TestForeignNames(t *testing.T) {
	tests := []struct {
		name    string
		foreign Foreign
		want    string
	}{
		{"attribute", *startupPhase(), "codex.startup_phase"},
		{"record", Foreign{RecordName: "session.start"}, "session.start"},
		{"neither", Foreign{}, "log"},
		{"a number", Foreign{Attributes: []Pair{{Key: "event.name", Value: Value{Kind: ValueInt, Int: 1}}}}, "log"},
		{"lines", Foreign{RecordName: "a\ndata: {}\r\n"}, "a data: {}  "},
		{"long", Foreign{RecordName: strings.Repeat("x", 1000)}, strings.Repeat("x", maxBodyBytes-3) + "…"},
	}
	for _, test := range tests {
		if got := test.foreign.EventName(); got != test.want {
			t.Errorf("%s: EventName() = %q; want %q", test.name, got, test.want)
		}
	}
}

func TestForeignEncodes(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	for _, schema := range []Schema{SchemaTyped, SchemaCodex} {
		e := &Encoder{Schema: schema}
		r := Record{Event: startupPhase(), Scope: &Scope{}, Time: at, Source: SourceAgent, ID: "id1"}
		want := map[string]any{
			"event.name": "codex.startup_phase", "event.timestamp": "2026-01-02T03:04:05.006Z", "startup.phase": "create_thread",
			"count": int64(3), "nested": `{"k":"v"}`, "conversation.id": "c1", "telemetry.source": "agent", "event.id": "id1",
		}
		told := encode(e, r)
		if len(told) != 1 {
			t.Fatalf("Expand() yields %d records; want 1", len(told))
		}
		if diff := cmp.Diff(want, values(t, told[0])); diff != "" {
			t.Errorf("schema %d (-want +got):\n%s", schema, diff)
		}
		if got, want := e.Body(r), "startup.phase=create_thread count=3"; got != want {
			t.Errorf("Body() = %q; want %q", got, want)
		}
		if got := e.Severity(r); got != SeverityInfo {
			t.Errorf("Severity() = %d; want the record's own", got)
		}
	}
}

func TestForeignTold(t *testing.T) {
	r := Record{Source: SourceAgent, ID: "id1"}
	spoofed := startupPhase()
	spoofed.Attributes = append(spoofed.Attributes, TextPair("telemetry.source", "wire"), TextPair("event.id", "x"))
	told := spoofed.Told(r)
	want := slices.Concat(startupPhase().Attributes, []Pair{TextPair("telemetry.source", "agent"), TextPair("event.id", "id1")})
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("Told() (-want +got):\n%s", diff)
	}
	other := &Foreign{RecordName: "hello", Attributes: []Pair{TextPair("telemetry.source", "x")}}
	if diff := cmp.Diff(other.Attributes, other.Told(r)); diff != "" {
		t.Errorf("Told() of another library (-want +got):\n%s", diff)
	}
}

func TestForeignFails(t *testing.T) {
	for severity, want := range map[int32]bool{0: false, 9: false, 16: false, 17: true, 24: true} {
		if got := (&Foreign{SeverityNumber: severity}).Failed(); got != want {
			t.Errorf("Failed() with severity %d = %t; want %t", severity, got, want)
		}
	}
	if got, want := (&Foreign{Body: Value{Kind: ValueText, Text: "hi"}}).Summary(), "hi"; got != want {
		t.Errorf("Summary() = %q; want %q", got, want)
	}
}

func TestForeignBytes(t *testing.T) {
	small := (&Foreign{Origin: &Origin{}}).Bytes()
	nested := Value{Kind: ValueList, List: []Value{{Kind: ValueMap, Map: []Pair{TextPair("k", strings.Repeat("x", 5000))}}}}
	for name, f := range map[string]*Foreign{
		"attribute": {Origin: &Origin{}, Attributes: []Pair{{Key: "a", Value: nested}}},
		"body":      {Origin: &Origin{}, Body: nested},
		"resource":  {Origin: &Origin{Resource: []Pair{{Key: "a", Value: nested}}}},
	} {
		if got := f.Bytes(); got < small+5000 {
			t.Errorf("Bytes() with 5000 bytes in the %s = %d; want them counted", name, got)
		}
	}
	many := &Foreign{Origin: &Origin{}, Body: Value{Kind: ValueList, List: make([]Value, 1000)}}
	if got := many.Bytes(); got < 88_000 {
		t.Errorf("Bytes() with 1000 empty values = %d; want their size", got)
	}
}
