package store

import (
	"context"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// housekeeping is how often age and free space are looked after.
const housekeeping = time.Minute

// Run writes what is recorded until ctx ends, and then returns nil. It must be
// called once.
func (s *Store) Run(ctx context.Context) error {
	timer := time.NewTimer(s.pause())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
			// More may come, and one transaction does for all.
			delay := time.NewTimer(s.cfg.Delay)
			select {
			case <-ctx.Done():
				delay.Stop()
				return nil
			case <-delay.C:
			}
		case <-timer.C:
		}
		s.work(false)
		timer.Reset(s.pause())
	}
}

// pause is how long Run may sleep when nothing happens.
func (s *Store) pause() time.Duration {
	s.disk.Lock()
	defer s.disk.Unlock()
	if !s.retryAt.IsZero() {
		return max(0, time.Until(s.retryAt))
	}
	return housekeeping
}

// work brings the disk up to date, if it can be used, and tidies it if that is
// due or asked for.
func (s *Store) work(tidy bool) {
	s.disk.Lock()
	defer s.disk.Unlock()
	if s.closed || time.Now().Before(s.retryAt) {
		return
	}
	if s.db == nil {
		if err := s.attach(); err != nil {
			s.fails(err)
			return
		}
	}
	if time.Since(s.tidied) >= housekeeping {
		tidy = true
	}
	if tidy {
		s.tidied = time.Now()
		s.forgetAside()
	}
	if tidy && !s.db.isThere() {
		s.abandon(errGone)
		return
	}
	if s.commit() == nil && tidy {
		s.tidy()
	}
}

// maxTransaction bounds the payloads of one transaction, and so the journal. Only
// what waited for a disk to come back is more.
const maxTransaction = 1 << 20

// commit writes everything that changed.
func (s *Store) commit() error {
	for {
		if more, err := s.commitPart(); err != nil || !more {
			return err
		}
	}
}

// commitPart writes what changed, and of what is new as much as one transaction
// may have. It reports whether there is more.
func (s *Store) commitPart() (more bool, err error) {
	// What was forgotten was appended before: it is looked at first.
	held := s.held.begin()
	held.adopt = s.adopted
	s.staged.mu.Lock()
	entries, ever, more := s.memory.Hold(maxTransaction)
	told, moreTold := s.staged.begin(maxTransaction)
	s.staged.mu.Unlock()
	if more = more || moreTold; more {
		s.held.postpone(&held)
		held.adopt = false
	}
	stored := false
	defer func() {
		// A panic must not keep the entries held either.
		if !stored {
			s.held.undo(held)
		}
		s.staged.end(stored)
		if claimed := s.memory.Release(stored); claimed != 0 {
			s.claim.rows = []row{{id: claimed, Entry: s.claim.entry, rawBytes: int64(len(s.claim.entry.Payload))}}
		}
	}()
	now := time.Now()
	t := transaction{
		now: now, oldest: now.Add(-s.cfg.MaxAge), maxBytes: s.cfg.MaxBytes,
		entries: entries, chapter: newChapter(told, now, s.codec), changed: s.changed, held: held, keep: s.claim.holds,
		ledger: ever, written: s.written, codec: s.codec,
	}
	if err := s.db.commit(&t); err != nil {
		s.fails(err)
		return false, err
	}
	stored = true
	for _, e := range entries {
		s.records.Add(int64(e.Records))
		s.bytes.Add(int64(len(e.Payload)))
	}
	s.records.Add(-int64(t.goneRecords))
	s.bytes.Add(-t.goneBytes)
	s.memory.Settle(t.settled)
	s.written = t.ledger
	s.adopted = s.adopted && !held.adopt
	clear(s.changed)
	s.retryAt = time.Time{}
	s.health.tells(&t)
	s.health.works(t.size, t.settled[outbox.QueueFull].Total())
	return more, nil
}

// tidy gives free pages back after a backlog.
func (s *Store) tidy() {
	if err := s.db.shrink(); err != nil {
		s.fails(err)
	}
}
