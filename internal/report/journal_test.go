package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
)

// pages is a Journal that keeps what it is told, and looks into what was passed on.
type pages struct {
	t      *testing.T
	passed *memory

	mu   sync.Mutex
	kept map[uint64]events.Record
}

// Keep implements Journal.
func (p *pages) Keep(key uint64, r events.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept == nil {
		p.kept = make(map[uint64]events.Record)
	}
	p.kept[key] = r
}

// Forget implements Journal.
func (p *pages) Forget(key uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	forgotten, ok := p.kept[key]
	if !ok {
		p.t.Errorf("Forget(%d) of what was not kept", key)
	}
	delete(p.kept, key)
	// What is forgotten was passed on before, or is kept as a part of another record.
	same := func(r events.Record) bool { return tellsFact(r, forgotten) }
	if !slices.ContainsFunc(p.passed.all(), same) && !slices.ContainsFunc(p.all(), same) {
		p.t.Errorf("Forget(%d) of %s, which is nowhere else", key, forgotten.ID)
	}
}

func (p *pages) all() []events.Record {
	var records []events.Record
	for _, r := range p.kept {
		records = append(records, r)
	}
	return records
}

// tellsFact reports whether two records are of the same call.
func tellsFact(a, b events.Record) bool {
	x, isX := a.Event.(*events.ToolDecision)
	y, isY := b.Event.(*events.ToolDecision)
	if isX && isY {
		return x.CallID == y.CallID
	}
	return a.ID == b.ID && a.Event.EventName() == b.Event.EventName()
}

// TestMergerJournal has any mix of tellings, and wants everything that waits to be kept as it waits, nothing else.
func TestMergerJournal(t *testing.T) {
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			journal := &pages{t: t}
			m, passed := newMerger(t, MergerConfig{Grace: grace, Journal: journal, MaxHeld: 8})
			journal.passed = passed
			for i := range 200 {
				call := fmt.Sprint("k", random.IntN(12))
				event := decided(call, []string{"approved", "denied"}[random.IntN(2)])
				switch id := fmt.Sprint(i); random.IntN(4) {
				case 0:
					m.Record(seen("w"+id, event))
				case 1:
					m.Record(reported("a"+id, event))
				case 2:
					m.Logs().Record(reported("l"+id, event))
				default:
					wait(time.Duration(random.IntN(int(grace))))
				}
				checkPages(t, m, journal)
			}
			wait(2 * grace)
			journal.mu.Lock()
			defer journal.mu.Unlock()
			if len(journal.kept) != 0 {
				t.Errorf("%d records are kept at the end; want none", len(journal.kept))
			}
		})
	}
}

// checkPages wants the journal to hold what waits, as it waits.
func checkPages(t *testing.T, m *Merger, journal *pages) {
	t.Helper()
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	journal.mu.Lock()
	defer journal.mu.Unlock()
	want := map[uint64]events.Record{}
	for e := m.waiting.all.Front(); e != nil; e = e.Next() {
		h := e.Value.(*heldRecord)
		if !h.absorbed {
			want[h.key] = h.record
		}
	}
	for key, r := range want {
		if diff := cmp.Diff(r.Event, journal.kept[key].Event); diff != "" || journal.kept[key].ID != r.ID || journal.kept[key].Source != r.Source {
			t.Errorf("kept %d (-want +got):\n%s", key, diff)
		}
	}
}
