package report

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

func TestMergerHeldIsBounded(t *testing.T) {
	for name, cfg := range map[string]MergerConfig{
		"count": {Grace: time.Hour, MaxHeld: 10},
		"bytes": {Grace: time.Hour, MaxHeldBytes: 10 * (heldOverhead + 20_000)},
	} {
		synctest.Test(t, func(t *testing.T) {
			m, kept := newMerger(t, cfg)
			words := strings.Repeat("x", 20_000)
			for i := range 100 {
				r := seen(fmt.Sprint("w", i), prompt(fmt.Sprintf("%s %2d", words[:19_997], i)))
				if i%2 == 1 {
					r.Scope = &events.Scope{ConversationID: fmt.Sprint("c", i)}
				}
				m.Record(r)
			}
			stats := m.Stats()
			if stats.Held != 10 || stats.Overflow != 90 || len(kept.all()) != 90 || stats.HeldBytes > 10*(heldOverhead+20_000) {
				t.Errorf("%s: %+v, %d passed on; want 10 held and 90 passed on", name, stats, len(kept.all()))
			}
			if got := kept.all()[0].ID; got != "w0" {
				t.Errorf("%s: %s left first; want the oldest", name, got)
			}
			m.Close()
			if stats := m.Stats(); stats.Held != 0 || stats.HeldBytes != 0 || len(kept.all()) != 100 {
				t.Errorf("%s: %+v, %d passed on; want nothing held and 100 passed on", name, stats, len(kept.all()))
			}
		})
	}
}

func TestMergerHugeRecordDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: time.Hour, MaxHeldBytes: 64 << 10})
		m.Record(seen("w1", prompt("small")))
		m.Record(seen("w2", prompt(strings.Repeat("x", 64<<10))))
		expect(t, kept, "wire w2")
		if stats := m.Stats(); stats.Held != 1 || stats.Overflow != 1 {
			t.Errorf("Stats() = %+v; want the small one held", stats)
		}
	})
}

// A record that grows while it waits is accounted for.
func TestMergerAccountsForMerges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := newMerger(t, MergerConfig{Grace: time.Hour})
		m.Logs().Record(reported("x", &events.ConversationStarts{}))
		before := m.Stats().HeldBytes
		m.Record(seen("w", result("k")))
		small := m.Stats().HeldBytes - before
		big := result("k")
		big.Output = events.Some(strings.Repeat("x", 50_000))
		m.Record(reported("a", big))
		if got := m.Stats().HeldBytes - before; got != small+50_000 {
			t.Errorf("%d bytes held; want %d", got, small+50_000)
		}
		m.Close()
		if got := m.Stats().HeldBytes; got != 0 {
			t.Errorf("%d bytes held; want 0", got)
		}
	})
}

func TestMergerMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: grace, MaxFacts: 50})
		for i := range 1000 {
			m.Record(reported(fmt.Sprint("f", i), &events.Foreign{}))
			m.Record(seen(fmt.Sprint("w", i), prompt("the same words")))
			m.Logs().Record(reported(fmt.Sprint("a", i), prompt("the same words")))
			m.Record(seen(fmt.Sprint("r", i), result(fmt.Sprint("call", i))))
		}
		if got := m.Stats(); got.Remembered != 50 || got.Forgotten == 0 {
			t.Errorf("Stats() = %+v; want 50 facts remembered", got)
		}
		wait(time.Minute)
		if n := len(m.recall.byKey) + len(m.recall.byID); n > 50*5 {
			t.Errorf("%d keys for 50 facts", n)
		}
		for key, list := range m.recall.byKey {
			if len(list) > maxPerKey {
				t.Errorf("%d facts under %x; want at most %d", len(list), key, maxPerKey)
			}
		}
		if got := len(kept.all()); got != 3000 {
			t.Errorf("%d records passed on; want 3000", got)
		}
	})
}

// A fact that is forgotten while it waits is passed on.
func TestMergerForgetsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: time.Hour, MaxFacts: 5})
		for i := range 20 {
			m.Record(seen(fmt.Sprint("w", i), prompt(fmt.Sprint("prompt ", i))))
		}
		if stats := m.Stats(); stats.Held != 5 || len(kept.all()) != 15 || stats.Overflow != 15 {
			t.Errorf("%+v, %d passed on; want 5 held, 15 passed on", stats, len(kept.all()))
		}
	})
}

func TestMergerConcurrent(t *testing.T) {
	m, kept := newMerger(t, MergerConfig{Grace: 20 * time.Millisecond})
	const clients, rounds = 4, 300
	var group sync.WaitGroup
	for c := range clients {
		scope := &events.Scope{ConversationID: fmt.Sprint("c", c), Resource: &events.Resource{}}
		tell := func(source events.Source, to events.Recorder) {
			group.Go(func() {
				for i := range rounds {
					to.Record(events.Record{
						Event: result(fmt.Sprint("k", i)), Source: source, ID: fmt.Sprint(source, c, "-", i), Scope: scope, Time: time.Now(),
					})
					to.Record(events.Record{Event: &events.SSEEvent{}, Source: events.SourceWire, Scope: scope})
					m.Stats()
				}
			})
		}
		tell(events.SourceWire, m)
		tell(events.SourceAgent, m)
		tell(events.SourceAgent, m.Logs())
	}
	group.Wait()
	m.Close()
	results := 0
	for _, r := range kept.all() {
		if _, ok := r.Event.(*events.ToolResult); ok {
			results++
		}
	}
	if results != clients*rounds {
		t.Errorf("%d results; want %d, each call once", results, clients*rounds)
	}
}
