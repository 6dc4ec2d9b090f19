package report

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

func TestMergerPassesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: grace})
		nobody := seen("w4", prompt("of nobody"))
		nobody.Scope = &events.Scope{}
		for _, r := range []events.Record{
			seen("w1", &events.APIRequest{}), seen("w1", &events.APIRequest{}), seen("w2", &events.SSEEvent{}), seen("w3", &events.WebSocketConnect{}),
			nobody, seen("w5", &events.ToolResult{}), reported("a1", &events.Foreign{}), reported("a2", &events.SSEEvent{}),
		} {
			m.Record(r)
		}
		expect(t, kept, "wire w1", "wire w1", "wire w2", "wire w3", "wire w4", "wire w5", "agent a1", "agent a2")
		m.Record(reported("a1", &events.Foreign{}))
		m.Record(reported("a2", &events.SSEEvent{}))
		if got := m.Stats().Suppressed["repeat"]; got != 2 || len(kept.all()) != 8 {
			t.Errorf("%d repeats, %d records; want 2, 8", got, len(kept.all()))
		}
	})
}

func TestMergerWithoutGrace(t *testing.T) {
	for name, pair := range mergeable() {
		m := NewMerger(MergerConfig{Next: events.Discard{}})
		kept := new(memory)
		m.cfg.Next = kept
		m.Record(seen("w", pair[0]))
		m.Record(reported("a", pair[1]))
		m.Record(reported("a", pair[1]))
		expect(t, kept, "wire w")
		if got := m.Stats().Suppressed; got["late_report"] != 1 || got["repeat"] != 1 {
			t.Errorf("%s: suppressed = %v; want a late report and a repeat", name, got)
		}
	}
}

// Records of a conversation that wait leave in the order in which they came.
func TestMergerOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: grace})
		other := seen("other", prompt("elsewhere"))
		other.Scope = &events.Scope{ConversationID: "c2", Resource: &events.Resource{}}
		m.Record(seen("w1", prompt("hello")))
		m.Record(other)
		wait(time.Second)
		m.Record(seen("w2", decided("k", "approved")))
		m.Record(seen("w3", result("k")))
		m.Record(reported("a3", result("k")))
		m.Record(reported("a2", decided("k", "approved")))
		expect(t, kept)
		m.Record(reported("a1", prompt("hello")))
		expect(t, kept, "both w1", "both w2", "both w3")
		wait(time.Second)
		synctest.Wait()
		expect(t, kept, "both w1", "both w2", "both w3", "wire other")
	})
}

func TestMergerClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: time.Hour})
		m.Record(seen("w1", prompt("hello")))
		m.Record(seen("w2", decided("k", "denied")))
		m.Record(reported("a2", decided("k", "approved")))
		m.Close()
		m.Close()
		expect(t, kept, "wire w1", "both w2 (decision)")
		m.Record(seen("w3", prompt("later")))
		m.Record(reported("a1", prompt("hello")))
		expect(t, kept, "wire w1", "both w2 (decision)", "wire w3")
	})
}

func TestMergerRunCloses(t *testing.T) {
	kept := new(memory)
	m := NewMerger(MergerConfig{Next: kept, Grace: time.Hour})
	m.Record(seen("w1", prompt("hello")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Run(ctx); err != nil {
		t.Errorf("Run() = %v", err)
	}
	expect(t, kept, "wire w1")
}

// Without Run, what waits leaves with whatever comes next.
func TestMergerReleasesLazily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := new(memory)
		m := NewMerger(MergerConfig{Next: kept, Grace: grace})
		m.Record(seen("w1", prompt("hello")))
		wait(grace)
		m.Record(seen("w2", prompt("again")))
		expect(t, kept, "wire w1")
	})
}
