package console

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
)

func foreignRecord() events.Record {
	return events.Record{
		Event: &events.Foreign{
			Origin: &events.Origin{}, RecordName: "event otel/src/events/session_telemetry.rs:377", SeverityNumber: 17,
			Attributes: []events.Pair{
				events.TextPair("event.name", "codex.startup_phase"),
				events.TextPair("duration_ms", "31"),
				events.TextPair("conversation.id", "c1"),
				{Key: "n\n", Value: events.Value{Kind: events.ValueInt, Int: -3}},
				{Key: "nan", Value: events.Value{Kind: events.ValueDouble, Double: math.NaN()}},
				{Key: "list", Value: events.Value{Kind: events.ValueList, List: []events.Value{
					{Kind: events.ValueDouble, Double: 1.5},
					{},
					{Kind: events.ValueBytes, Text: "\x00\xff"},
					{Kind: events.ValueBool, Bool: true},
					{Kind: events.ValueMap, Map: []events.Pair{events.TextPair("k\x1b", "v\u2028"), events.TextPair("l", "\"")}},
				}}},
				events.TextPair("severity", "mine"), events.TextPair("body", "mine"),
			},
		},
		Scope:  &events.Scope{ConversationID: "c1"},
		Time:   time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC),
		Source: events.SourceAgent, ID: "id1",
	}
}

func TestAppendJSONForeign(t *testing.T) {
	got := string(AppendJSON(nil, &events.Encoder{}, foreignRecord()))
	want := `{"event.name":"codex.startup_phase","event.timestamp":"2026-01-02T03:04:05.006Z","duration_ms":"31","conversation.id":"c1",` +
		`"n\n":-3,"nan":"NaN","list":[1.5,null,"AP8=",true,{"k\u001b":"v\u2028","l":"\""}],` +
		`"telemetry.source":"agent","event.id":"id1","severity":"ERROR","body":"duration_ms=31 n =-3 nan=NaN severity=mine body=mine"}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("AppendJSON() (-want +got):\n%s", diff)
	}
	if !json.Valid([]byte(got)) {
		t.Errorf("AppendJSON() = %s; want JSON", got)
	}
}

func TestAppendJSONExtra(t *testing.T) {
	r := events.Record{Event: &events.UserPrompt{}, Scope: &events.Scope{}, Remarks: &events.Remarks{
		Extra: []events.Pair{{Key: "ratio", Value: events.Value{Kind: events.ValueDouble, Double: 0.5}}}, Disagreement: "prompt_length",
	}}
	got := string(AppendJSON(nil, &events.Encoder{}, r))
	if !strings.Contains(got, `"ratio":0.5,"telemetry.source":"wire","telemetry.disagreement":"prompt_length"`) {
		t.Errorf("AppendJSON() = %s; want what the report adds", got)
	}
}

// A foreign record may have other types than the catalogue under its names.
func TestRendererForeign(t *testing.T) {
	var b strings.Builder
	renderer := &Renderer{W: &b, Location: time.UTC}
	if err := renderer.Event(Event{Name: "x", Data: AppendJSON(nil, &events.Encoder{}, foreignRecord())}); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.HasPrefix(got, "03:04:05.006  c1") || !strings.Contains(got, "codex.startup_phase") || !strings.Contains(got, "duration_ms=31") {
		t.Errorf("printed %q; want the time, the name and the body", got)
	}
}

func TestRingCountsForeign(t *testing.T) {
	h := NewHub(HubConfig{MaxBytes: 1 << 20})
	for range 100 {
		r := foreignRecord()
		r.Event = &events.Foreign{Origin: &events.Origin{}, Body: events.Value{Kind: events.ValueList, List: []events.Value{{Kind: events.ValueText, Text: strings.Repeat("x", 100<<10)}}}}
		h.Record(r)
		r.Event, r.Remarks = &events.UserPrompt{}, &events.Remarks{Extra: []events.Pair{events.TextPair("k", strings.Repeat("x", 100<<10))}}
		h.Record(r)
	}
	if h.ring.count > 11 {
		t.Errorf("%d records of 100 KiB are kept; want 1 MiB of them", h.ring.count)
	}
}
