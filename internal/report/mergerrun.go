package report

import (
	"context"
	"time"
)

// release passes on what has waited long enough.
func (m *Merger) release(now time.Time) {
	for oldest := m.waiting.oldest(); oldest != nil && !oldest.due.After(now); oldest = m.waiting.oldest() {
		m.settle(oldest)
		m.pass(oldest)
	}
}

// settle merges a decision, before it goes on, with one that says the opposite
// and that nobody told as well: two tellings of one fact that disagree.
func (m *Merger) settle(held *heldRecord) {
	if held.ready {
		return
	}
	other := m.recall.opposite(held.memo)
	if other == nil || other.held.ready {
		return
	}
	m.merge(held, other.held.record, other.held.best)
	m.cfg.Journal.Keep(held.key, held.record) // The other one may be forgotten first.
	for by, id := range other.ids {
		m.recall.identify(held.memo, teller(by), id)
	}
	held.memo.told |= other.told
	other.told = held.memo.told
	other.held.absorbed, other.held.ready = true, true
}

// signal makes Run look at what waits. It never blocks.
func (m *Merger) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Run passes on what has waited long enough, until ctx ends. Then it closes the
// Merger and returns nil.
func (m *Merger) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			m.Close()
			return nil
		case <-m.wake:
		case <-timer.C:
		}
		if wait, some := m.tick(); some {
			timer.Reset(wait)
		}
	}
}

// tick releases what is due and returns how long the next record waits.
func (m *Merger) tick() (wait time.Duration, some bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.release(now)
	oldest := m.waiting.oldest()
	if oldest == nil {
		return 0, false
	}
	return max(0, oldest.due.Sub(now)), true
}

// Close passes on everything that waits. What comes later does not wait.
func (m *Merger) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for oldest := m.waiting.oldest(); oldest != nil; oldest = m.waiting.oldest() {
		m.settle(oldest)
		m.pass(oldest)
	}
}

// Stats returns the counts so far.
func (m *Merger) Stats() MergeStats {
	m.mu.Lock()
	held, bytes, facts := m.waiting.all.Len(), m.waiting.bytes, m.recall.count
	m.mu.Unlock()
	s := m.stats.snapshot()
	s.Held, s.HeldBytes, s.Remembered = int64(held), int64(bytes), int64(facts)
	return s
}
