package events

import (
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
)

func TestEncoderClean(t *testing.T) {
	const mark = "… [truncated, 40 bytes]"
	tests := []struct {
		name, in, want      string
		limit               int
		repaired, truncated int64
	}{
		{"plain", "hello wörld 👋", "hello wörld 👋", 0, 0, 0},
		{"empty", "", "", 5, 0, 0},
		{"at the limit", "12345", "12345", 5, 0, 0},
		{"one bad byte", "a\xffb", "a\uFFFDb", 0, 1, 0},
		{"a run of bad bytes", "a\xff\xfe\xfdb", "a\uFFFDb", 0, 1, 0},
		{"NUL", "a\x00b\x00", "a\uFFFDb\uFFFD", 0, 1, 0},
		{"cut", strings.Repeat("x", 40), strings.Repeat("x", 30-len(mark)) + mark, 30, 0, 1},
		{"cut at a boundary", "a" + strings.Repeat("ä", 19) + "b", "aää" + mark, 30, 0, 1},
		{"cut inside a character", strings.Repeat("👋", 10), "👋" + mark, 30, 0, 1},
		{"limit below the mark", strings.Repeat("x", 40), mark, 3, 0, 1},
		{"bad beyond the cut", strings.Repeat("x", 39) + "\xff", strings.Repeat("x", 30-len(mark)) + mark, 30, 0, 1},
		{"grows past the limit", strings.Repeat("\x00", 40), "\uFFFD" + mark, 40 - 12, 1, 1},
		{"grows past the limit by repair alone", strings.Repeat("a\x00", 20), "a\uFFFDa\uFFFDa\uFFFDa" + mark, 40, 1, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := &Encoder{MaxValueBytes: test.limit}
			if got := e.clean(test.in); got != test.want {
				t.Errorf("clean(%q) = %q; want %q", test.in, got, test.want)
			}
			if e.Repaired() != test.repaired || e.Truncated() != test.truncated {
				t.Errorf("Repaired, Truncated = %d, %d; want %d, %d", e.Repaired(), e.Truncated(), test.repaired, test.truncated)
			}
		})
	}
}

func TestEncoderCleanHugeValue(t *testing.T) {
	const size = 64 << 20
	huge := strings.Repeat("prompt \x00", size/8)
	got := (&Encoder{}).clean(huge)
	if len(got) > DefaultMaxValueBytes || !strings.HasSuffix(got, "… [truncated, 67108864 bytes]") {
		t.Errorf("clean() = %d bytes ending in %q; want at most %d", len(got), got[len(got)-40:], DefaultMaxValueBytes)
	}
	// What is beyond the cut is neither repaired nor kept.
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	(&Encoder{}).clean(huge)
	runtime.ReadMemStats(&after)
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 8*DefaultMaxValueBytes {
		t.Errorf("clean() allocates %d bytes for %d; want a few times what it keeps", spent, size)
	}
}

func TestEncoderCleansEveryString(t *testing.T) {
	dirty := func(string) string { return "\xff" + strings.Repeat("ä\x00", 100) }
	for _, event := range catalogue() {
		filled := reflect.New(reflect.TypeOf(event).Elem())
		fill(filled, dirty)
		scope := &Scope{}
		fill(reflect.ValueOf(scope), dirty)
		e := &Encoder{MaxValueBytes: 64}
		r := Record{Event: filled.Interface().(Event), Scope: scope}
		for _, attr := range e.Attributes(nil, r) {
			checkClean(t, string(attr.Key), attr.Value.String(), 64)
		}
		checkClean(t, "body", e.Body(r), 64)
	}
	e := &Encoder{MaxValueBytes: 64}
	resource := &Resource{ServiceName: dirty(""), ServiceVersion: dirty(""), Environment: dirty("")}
	for _, attr := range e.ResourceAttributes(resource) {
		checkClean(t, string(attr.Key), attr.Value.String(), 64)
	}
}

func checkClean(t *testing.T, what, got string, limit int) {
	t.Helper()
	if !utf8.ValidString(got) || strings.Contains(got, "\x00") || len(got) > limit {
		t.Errorf("%s = %q, %d bytes; want valid UTF-8 without NULs, at most %d bytes", what, got, len(got), limit)
	}
}

func TestEncoderAttributes(t *testing.T) {
	r := Record{
		Event:  &UserPrompt{Length: 5, Prompt: Some("hello")},
		Scope:  &Scope{ConversationID: "c1", Model: "gpt-5-codex"},
		Time:   time.Date(2026, 8, 19, 14, 30, 1, 234999999, time.FixedZone("", 7200)),
		Source: SourceBoth,
		ID:     "id1",
	}
	want := []attribute.KeyValue{
		attribute.String("first", "kept"),
		attribute.String("event.name", "codex.user_prompt"),
		attribute.String("event.timestamp", "2026-08-19T12:30:01.234Z"),
		attribute.Int64("prompt_length", 5),
		attribute.String("prompt", "hello"),
		attribute.String("conversation.id", "c1"),
		attribute.String("model", "gpt-5-codex"),
		attribute.String("telemetry.source", "both"),
		attribute.String("event.id", "id1"),
	}
	got := (&Encoder{}).Attributes([]attribute.KeyValue{attribute.String("first", "kept")}, r)
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b attribute.Value) bool { return a == b })); diff != "" {
		t.Errorf("Attributes() (-want +got):\n%s", diff)
	}
}

func TestEncoderSeverity(t *testing.T) {
	tests := []struct {
		event Event
		typed int
	}{
		{&APIRequest{StatusCode: Int64(200)}, SeverityInfo},
		{&APIRequest{ErrorMessage: "http 500"}, SeverityError},
		{&APIRequest{ErrorMessage: "context canceled", ClientGone: true}, SeverityInfo},
		{&SSEEvent{Kind: Some("response.created")}, SeverityInfo},
		{&SSEEvent{ErrorMessage: "idle timeout waiting for SSE"}, SeverityError},
		{&SSEEvent{ErrorMessage: "gone", ClientGone: true}, SeverityInfo},
		{&ToolResult{Success: true}, SeverityInfo},
		{&ToolResult{}, SeverityError},
		{&ToolDecision{Decision: DecisionDenied}, SeverityInfo},
		{&ConversationStarts{}, SeverityInfo},
		{&UserPrompt{}, SeverityInfo},
	}
	for _, test := range tests {
		r := Record{Event: test.event, Scope: &Scope{}}
		if got := (&Encoder{}).Severity(r); got != test.typed {
			t.Errorf("typed severity of %+v = %d; want %d", test.event, got, test.typed)
		}
		if got := (&Encoder{Schema: SchemaCodex}).Severity(r); got != SeverityInfo {
			t.Errorf("codex severity of %+v = %d; want %d", test.event, got, SeverityInfo)
		}
	}
}

func TestEncoderResourceAttributes(t *testing.T) {
	e := &Encoder{}
	all := &Resource{ServiceName: "codex-cli", ServiceVersion: "0.169.0", Environment: "staging"}
	want := map[string]any{"service.name": "codex-cli", "service.version": "0.169.0", "env": "staging"}
	if diff := cmp.Diff(want, values(t, e.ResourceAttributes(all))); diff != "" {
		t.Errorf("ResourceAttributes() (-want +got):\n%s", diff)
	}
	want = map[string]any{"service.name": ""}
	if diff := cmp.Diff(want, values(t, e.ResourceAttributes(&Resource{}))); diff != "" {
		t.Errorf("ResourceAttributes() of nothing (-want +got):\n%s", diff)
	}
}

// Recorders encode at the same time, with one encoder.
func TestEncoderConcurrently(t *testing.T) {
	e := &Encoder{Schema: SchemaCodex, MaxValueBytes: 32}
	dirty := Record{Event: &UserPrompt{Prompt: Some(strings.Repeat("\x00", 100))}, Scope: &Scope{}}
	const each = 200
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range each {
				for _, event := range catalogue() {
					encode(e, Record{Event: event, Scope: &Scope{}})
				}
				encode(e, dirty)
			}
		})
	}
	wg.Wait()
	if e.Repaired() != 8*each || e.Truncated() != 8*each {
		t.Errorf("Repaired, Truncated = %d, %d; want %d each", e.Repaired(), e.Truncated(), 8*each)
	}
}

// The timestamp is the one allocation of a delta, and each number that the codex
// schema spells out is another.
func TestEncoderAllocations(t *testing.T) {
	delta := deltaRecord()
	attrs := make([]attribute.KeyValue, 0, 64)
	for schema, want := range map[Schema]float64{SchemaTyped: 1, SchemaCodex: 2} {
		e := &Encoder{Schema: schema}
		if got := testing.AllocsPerRun(100, func() { attrs = e.Attributes(attrs[:0], delta) }); got > want {
			t.Errorf("Attributes() of a delta in schema %d allocates %v times; want %v", schema, got, want)
		}
	}
}

func TestMilliseconds(t *testing.T) {
	for d, want := range map[time.Duration]int64{0: 0, -time.Second: 0, 1999 * time.Microsecond: 1, 2 * time.Second: 2000} {
		if got := Milliseconds(d); got != want {
			t.Errorf("Milliseconds(%v) = %d; want %d", d, got, want)
		}
	}
}
