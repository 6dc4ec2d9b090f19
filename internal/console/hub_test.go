package console

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
)

func TestHubFeedsReader(t *testing.T) {
	hub := serve(t, HubConfig{})
	hub.Record(numbered(1, delta(), "before"))
	r := hub.join(t, "", "")
	want := map[string]string{
		"Content-Type":                "text/event-stream",
		"Cache-Control":               "no-store",
		"X-Accel-Buffering":           "no",
		"Access-Control-Allow-Origin": "",
	}
	for name, value := range want {
		if got := r.resp.Header.Get(name); got != value {
			t.Errorf("%s = %q; want %q", name, got, value)
		}
	}
	record := numbered(2, &events.UserPrompt{Length: 11, Prompt: events.Some("line\r\nline\n")}, "conversation")
	hub.Record(record)
	got := r.event()
	if got.Type != events.NameUserPrompt {
		t.Errorf("event = %q; want %q", got.Type, events.NameUserPrompt)
	}
	if want := hub.prefix + "-2"; got.LastEventID != want {
		t.Errorf("id = %q; want %q", got.LastEventID, want)
	}
	if want := string(AppendJSON(nil, &events.Encoder{}, record)); got.Data != want {
		t.Errorf("data = %s; want %s", got.Data, want)
	}
}

func TestHubResumesWithoutGapOrRepeat(t *testing.T) {
	const publishers, each = 4, 1500
	hub := serve(t, HubConfig{MaxRecords: publishers * each, MaxBytes: 1 << 30})
	var publishing sync.WaitGroup
	first := hub.join(t, "", "")
	for p := range publishers {
		publishing.Go(func() {
			for i := range each {
				hub.Record(numbered(p*each+i, delta(), "c"))
			}
		})
	}
	defer publishing.Wait()

	seen := make(map[string]bool)
	lastID, r := "", first
	for sequence := uint64(1); len(seen) < publishers*each; {
		for range rand.IntN(400) + 1 {
			if len(seen) == publishers*each {
				break
			}
			got := r.event()
			if got.Type != events.NameSSEEvent {
				t.Fatalf("event %d is %s %s; want a record", sequence, got.Type, got.Data)
			}
			if want := hub.eventID(sequence); got.LastEventID != want {
				t.Fatalf("id = %q; want %q", got.LastEventID, want)
			}
			seen[recordID(t, got.Data)] = true
			lastID = got.LastEventID
			sequence++
		}
		r.close()
		r = hub.join(t, "", lastID)
	}
	if stats := hub.Stats(); stats.MissedExpired+stats.MissedSlow+stats.Restarts != 0 {
		t.Errorf("Stats() = %+v; want nothing missed", stats)
	}
}

func recordID(t *testing.T, data string) string {
	t.Helper()
	var object struct {
		ID string `json:"event.id"`
	}
	if err := json.Unmarshal([]byte(data), &object); err != nil {
		t.Fatalf("data %s: %v", data, err)
	}
	return object.ID
}

func TestHubTellsWhatExpired(t *testing.T) {
	hub := serve(t, HubConfig{MaxRecords: 10})
	for n := range 30 {
		hub.Record(numbered(n, delta(), "c"))
	}
	r := hub.join(t, "?last_event_id="+hub.eventID(5), "")
	missed := r.event()
	if missed.Type != NameMissed || missed.Data != `{"missed":15,"reason":"expired"}` || missed.LastEventID != hub.eventID(20) {
		t.Errorf("first event = %+v; want 15 missed, up to 20", missed)
	}
	for seq := uint64(21); seq <= 30; seq++ {
		if got := r.event(); got.LastEventID != hub.eventID(seq) {
			t.Fatalf("id = %q; want %q", got.LastEventID, hub.eventID(seq))
		}
	}
	if got := hub.Stats().MissedExpired; got != 15 {
		t.Errorf("MissedExpired = %d; want 15", got)
	}
}

func TestHubTellsRestart(t *testing.T) {
	other := NewHub(HubConfig{})
	hub := serve(t, HubConfig{})
	hub.Record(numbered(1, delta(), "c"))
	for _, lastID := range []string{other.eventID(1), "1", hub.prefix + "-x", hub.eventID(2), hub.prefix + "-18446744073709551615"} {
		r := hub.join(t, "", lastID)
		if got := r.event(); got.Type != NameMissed || got.Data != `{"missed":null,"reason":"restart"}` {
			t.Errorf("after %s, first event = %+v; want missed, unknown", lastID, got)
		}
		if got := r.event(); got.LastEventID != hub.eventID(1) {
			t.Errorf("after %s, second id = %q; want %q", lastID, got.LastEventID, hub.eventID(1))
		}
		r.close()
	}
	if got := hub.Stats().Restarts; got != 5 {
		t.Errorf("Restarts = %d; want 5", got)
	}
}

func TestHubKeepsToItsBounds(t *testing.T) {
	tests := []struct {
		name          string
		cfg           HubConfig
		value         int
		wantRecords   int
		wantOverBytes bool
	}{
		{"by count", HubConfig{MaxRecords: 7}, 10, 7, false},
		{"by bytes", HubConfig{MaxBytes: 10_000}, 1000, 6, false},
		{"one record too large", HubConfig{MaxBytes: 10_000}, 20_000, 1, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			hub := NewHub(test.cfg)
			for n := range 100 {
				hub.Record(numbered(n, &events.UserPrompt{Prompt: events.Some(strings.Repeat("x", test.value))}, "c"))
			}
			stats := hub.Stats()
			if stats.Records != test.wantRecords || stats.Recorded != 100 {
				t.Errorf("Records = %d of %d; want %d of 100", stats.Records, stats.Recorded, test.wantRecords)
			}
			if over := stats.Bytes > hub.cfg.MaxBytes; over != test.wantOverBytes {
				t.Errorf("Bytes = %d, limit %d", stats.Bytes, hub.cfg.MaxBytes)
			}
			for hub.ring.count > 0 {
				hub.ring.pop()
			}
			if hub.ring.bytes != 0 {
				t.Errorf("bytes of an empty ring = %d; want 0", hub.ring.bytes)
			}
		})
	}
}

func TestHubCountsWhatItMadeForReaders(t *testing.T) {
	hub := serve(t, HubConfig{})
	r := hub.join(t, "", "")
	hub.Record(numbered(1, delta(), "c"))
	size := hub.Stats().Bytes
	data := r.event().Data
	if got := hub.Stats().Bytes; got != size+len(data) {
		t.Errorf("Bytes = %d once read; want %d and the %d of the JSON", got, size, len(data))
	}
}

func TestEventBytes(t *testing.T) {
	event := &events.SSEEvent{
		Kind: events.Some("a"), ErrorMessage: "bb", Usage: &events.Usage{Input: 1},
		ServiceTier: "ccc", ReasoningEffort: "dddd", EndedBy: "eeeee",
	}
	if got := eventBytes(event); got != 15 || got != stringBytes(reflect.ValueOf(event)) {
		t.Errorf("eventBytes(SSEEvent) = %d; want 15, as without the short cut", got)
	}
	tool := &events.ToolResult{ToolName: "shell", Arguments: events.Some("{}"), Output: events.Some("out")}
	if got := eventBytes(tool); got != 10 {
		t.Errorf("eventBytes(ToolResult) = %d; want 10", got)
	}
}

func TestHubFilters(t *testing.T) {
	hub := serve(t, HubConfig{})
	for n := range 3 {
		conversation := fmt.Sprintf("c%d", n)
		hub.Record(numbered(10*n, delta(), conversation))
		hub.Record(numbered(10*n+1, &events.APIRequest{}, conversation))
		hub.Record(numbered(10*n+2, &events.ToolDecision{}, conversation))
	}
	tests := []struct {
		query string
		want  []string
	}{
		{"?", []string{"n0", "n1", "n2", "n10", "n11", "n12", "n20", "n21", "n22"}},
		{"?conversation=c1", []string{"n10", "n11", "n12"}},
		{"?conversation=c0&conversation=c2", []string{"n0", "n1", "n2", "n20", "n21", "n22"}},
		{"?event=codex.sse_event", []string{"n0", "n10", "n20"}},
		{"?event=sse_event,codex.tool_decision", []string{"n0", "n2", "n10", "n12", "n20", "n22"}},
		{"?event=sse_event&event=api_request&conversation=c2", []string{"n20", "n21"}},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			r := hub.join(t, test.query+"&last_event_id="+hub.eventID(0), "")
			var got []string
			for range test.want {
				got = append(got, recordID(t, r.event().Data))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHubPassesOverManyRecords has more records that the filter hides than a
// reader's turn looks at.
func TestHubPassesOverManyRecords(t *testing.T) {
	hub := serve(t, HubConfig{})
	for n := range 10 * turnRecords {
		hub.Record(numbered(n, delta(), "c"))
	}
	hub.Record(numbered(-1, &events.UserPrompt{}, "c"))
	r := hub.join(t, "?event=user_prompt", hub.eventID(0))
	if got := recordID(t, r.event().Data); got != "n-1" {
		t.Errorf("record = %s; want n-1", got)
	}
}
