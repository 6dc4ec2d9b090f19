package store

import "github.com/codex-proxy/codex-proxy/internal/outbox"

// claim is the entry being sent.
type claim struct {
	entry outbox.Entry
	// rows it is made of, oldest first; none while it is in memory. Rows are
	// joined so that a backlog of many small batches leaves in few requests.
	rows []row
}

// holds reports whether a row, or an entry about to become one, is part of the
// claim.
func (c *claim) holds(id uint64) bool {
	if id == c.entry.ID {
		return true
	}
	for _, r := range c.rows {
		if r.id == id {
			return true
		}
	}
	return false
}

// Next implements outbox.Outbox. What is on disk is older than what is in memory.
func (s *Store) Next(after uint64) (outbox.Entry, bool) {
	s.disk.Lock()
	defer s.disk.Unlock()
	if s.db != nil && s.records.Load() > 0 {
		rows, err := s.read(after)
		if err != nil {
			s.fails(err)
		}
		if len(rows) > 0 {
			s.claim = claim{entry: joined(rows), rows: rows}
			return s.claim.entry, true
		}
	}
	e, ok := s.memory.Next(after)
	if ok {
		s.claim = claim{entry: e}
	}
	return e, ok
}

// read returns the oldest rows above after that make one batch.
func (s *Store) read(after uint64) ([]row, error) {
	var found []row
	records, bytes := 0, 0
	first := true
	err := s.db.each(max(after, s.floor), func(r row) bool {
		if e, ok := s.changed[r.id]; ok {
			if e.Records == 0 {
				return true
			}
			r.Entry, r.rawBytes = e, int64(len(e.Payload))
		} else if payload, ok := s.codec.expand(r.stored); ok && r.adds() {
			r.Payload = payload
		} else {
			s.discard(r)
			return true
		}
		if first && after <= s.floor {
			s.floor = r.id - 1
		}
		first = false
		records, bytes = records+r.Records, bytes+len(r.Payload)
		if len(found) > 0 && (records > s.cfg.Batch.MaxRecords || bytes > s.cfg.Batch.MaxBytes) {
			return false
		}
		found = append(found, r)
		return true
	})
	return found, err
}

// discard drops a row that cannot be read.
func (s *Store) discard(r row) {
	s.health.unreadable.Add(1)
	s.memory.Settle(outbox.Settled{outbox.Damaged: r.Counts})
	s.replace(r, outbox.Entry{})
	s.nudge()
}

// Done implements outbox.Outbox.
func (s *Store) Done(left outbox.Entry, settled outbox.Settled) {
	s.disk.Lock()
	defer s.disk.Unlock()
	c := s.claim
	s.claim = claim{}
	if len(c.rows) == 0 {
		s.memory.Done(left, settled)
		s.nudge()
		return
	}
	s.memory.Settle(settled)
	if left.Records == c.entry.Records {
		return // A try that changed nothing.
	}
	last := len(c.rows) - 1
	for _, r := range c.rows[:last] {
		s.replace(r, outbox.Entry{})
	}
	s.replace(c.rows[last], left)
	s.nudge()
}

// replace notes what the next transaction makes of a row.
func (s *Store) replace(r row, e outbox.Entry) {
	s.records.Add(int64(e.Records - r.Records))
	s.bytes.Add(int64(len(e.Payload)) - r.rawBytes)
	s.changed[r.id] = e
}

// joined makes one entry of rows. Its ID is that of the last one, so that what
// comes after it are other rows.
func joined(rows []row) outbox.Entry {
	whole := rows[0].Entry
	if len(rows) > 1 {
		// Joining appends; the row keeps its own payload.
		whole.Payload = append([]byte(nil), whole.Payload...)
	}
	for _, r := range rows[1:] {
		whole = whole.Join(r.Entry)
	}
	whole.ID = rows[len(rows)-1].id
	return whole
}
