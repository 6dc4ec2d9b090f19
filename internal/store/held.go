package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// held are batches that are going to be appended and may change before: they are
// on disk so that a crash does not lose them, and nobody sends them. What an
// earlier process left is appended at the start.
type held struct {
	mu    sync.Mutex
	fresh map[uint64]outbox.Entry // no transaction has them yet
	there map[uint64]struct{}     // on disk, or in the transaction under way
	gone  []uint64                // to be deleted from disk
}

// heldChange is what a transaction does with what is held.
type heldChange struct {
	rows  map[uint64]outbox.Entry // to write
	added []uint64                // those of them that the disk did not have
	gone  []uint64                // to delete
	adopt bool                    // what an earlier process left was appended
}

// Keep implements outbox.Outbox.
func (s *Store) Keep(key uint64, e outbox.Entry) {
	s.held.mu.Lock()
	if s.held.fresh == nil {
		s.held.fresh = make(map[uint64]outbox.Entry)
	}
	s.held.fresh[key] = e
	s.held.mu.Unlock()
	s.nudge()
}

// Forget implements outbox.Outbox.
func (s *Store) Forget(keys []uint64) {
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	for _, key := range keys {
		delete(s.held.fresh, key)
		if _, ok := s.held.there[key]; ok {
			delete(s.held.there, key)
			s.held.gone = append(s.held.gone, key)
		}
	}
	if len(s.held.gone) > 0 {
		s.nudge()
	}
}

// begin returns what changed, for a transaction that then succeeds or is undone.
func (h *held) begin() heldChange {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := heldChange{rows: h.fresh, gone: h.gone}
	h.fresh, h.gone = nil, nil
	if h.there == nil {
		h.there = make(map[uint64]struct{})
	}
	for key := range c.rows {
		if _, ok := h.there[key]; !ok {
			h.there[key] = struct{}{}
			c.added = append(c.added, key)
		}
	}
	return c
}

// postpone leaves deleting to a later transaction: what was held stays until
// all that was appended before it was forgotten is on disk.
func (h *held) postpone(c *heldChange) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gone = append(c.gone, h.gone...)
	c.gone = nil
}

// undo takes a change back whose transaction failed.
func (h *held) undo(c heldChange) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gone = append(c.gone, h.gone...)
	for _, key := range c.added {
		if _, ok := h.there[key]; ok {
			delete(h.there, key)
			continue
		}
		// Forgotten meanwhile: nobody needs to write or to delete it.
		delete(c.rows, key)
		h.gone = slices.DeleteFunc(h.gone, func(gone uint64) bool { return gone == key })
	}
	for key, e := range c.rows {
		if _, replaced := h.fresh[key]; replaced || slices.Contains(h.gone, key) {
			continue
		}
		if h.fresh == nil {
			h.fresh = make(map[uint64]outbox.Entry)
		}
		h.fresh[key] = e
	}
}

// lose notes that a database is gone, with what was held in it.
func (h *held) lose() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.there)
	h.gone = nil
}

// holdBack carries the change out.
func (t *transaction) holdBack(ctx context.Context, tx *prepared) error {
	if t.held.adopt {
		if _, err := tx.ExecContext(ctx, "DELETE FROM held"); err != nil {
			return err
		}
	}
	for _, key := range t.held.gone {
		if _, err := tx.ExecContext(ctx, "DELETE FROM held WHERE key = ?", int64(key)); err != nil { //nolint:gosec // A key is only compared.
			return err
		}
	}
	const upsert = "INSERT OR REPLACE INTO held (key, records, counts, payload) VALUES (?, ?, ?, ?)"
	for _, key := range slices.Sorted(maps.Keys(t.held.rows)) {
		e := t.held.rows[key]
		counts, err := json.Marshal(e.Counts)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, upsert, int64(key), e.Records, string(counts), t.codec.compress(e.Payload)); err != nil { //nolint:gosec // As above.
			return err
		}
	}
	return nil
}

// left returns what an earlier process held, compressed.
func (d *database) left(ctx context.Context) ([]row, error) {
	var found []row
	err := d.query(ctx, "SELECT key, records, counts, payload FROM held ORDER BY key", func(rows *sql.Rows) error {
		var r row
		var key int64
		var counts []byte
		if err := rows.Scan(&key, &r.Records, &counts, &r.stored); err != nil {
			return err
		}
		if json.Unmarshal(counts, &r.Counts) != nil {
			r.stored = nil // Not readable as a whole.
		}
		found = append(found, r)
		return nil
	})
	return found, err
}

// adopt appends what an earlier process held. It returns how many records those
// are.
func (s *Store) adopt(left []row) (records int) {
	for _, r := range left {
		payload, ok := s.codec.expand(r.stored)
		if !ok || !r.adds() {
			s.health.unreadable.Add(1)
			continue
		}
		r.Payload = payload
		s.Append(r.Entry)
		records += r.Records
	}
	s.adopted = len(left) > 0
	return records
}
