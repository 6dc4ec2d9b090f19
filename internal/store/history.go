package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// staged is what no transaction has added to the history yet. Deltas are not
// part of the history; the last record of a stream tells how many there were.
type staged struct {
	mu      sync.Mutex // also held while an entry enters the outbox, so that both change in one transaction
	entries []outbox.Entry
	bytes   int
	writing int   // so many of the oldest are in the transaction under way
	dropped int64 // records that gave way in memory
}

// Append implements outbox.Outbox. It never waits for the disk.
func (s *Store) Append(e outbox.Entry) {
	s.staged.mu.Lock()
	if s.cfg.NoSender {
		s.memory.Lose(e.Counts, outbox.NoExporter)
	} else {
		s.memory.Append(e)
	}
	if s.cfg.History {
		s.staged.add(e, s.cfg.Memory.MaxBytes)
	}
	s.staged.mu.Unlock()
	s.nudge()
}

// add appends an entry; past maxBytes the oldest ones go.
func (h *staged) add(e outbox.Entry, maxBytes int) {
	h.entries = append(h.entries, e)
	h.bytes += len(e.Payload)
	for h.bytes > maxBytes && len(h.entries) > h.writing {
		gone := h.entries[h.writing]
		if h.writing == 0 {
			h.entries = h.entries[1:]
		} else {
			h.entries = append(h.entries[:h.writing:h.writing], h.entries[h.writing+1:]...)
		}
		h.bytes -= len(gone.Payload)
		h.dropped += int64(gone.Records - gone.Deltas)
	}
}

// begin returns the oldest entries, one at least and no more than so many bytes,
// and whether there are more. Its caller has the lock.
func (h *staged) begin(maxBytes int) (entries []outbox.Entry, more bool) {
	n := 0
	for n < len(h.entries) && (n == 0 || maxBytes >= len(h.entries[n].Payload)) {
		maxBytes -= len(h.entries[n].Payload)
		n++
	}
	h.writing = n
	return h.entries[:n:n], n < len(h.entries)
}

// end ends what begin began.
func (h *staged) end(written bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if written {
		for _, e := range h.entries[:h.writing] {
			h.bytes -= len(e.Payload)
		}
		h.entries = append([]outbox.Entry(nil), h.entries[h.writing:]...)
	}
	h.writing = 0
}

// chapter is a piece of history that one transaction adds.
type chapter struct {
	entry  outbox.Entry // all records, deltas left out
	stored []byte
	facts  []fact
	first  int64 // Unix nanoseconds of the oldest record and the newest
	last   int64
}

// newChapter makes a chapter of entries; without records there is nothing to add.
func newChapter(entries []outbox.Entry, now time.Time, codec *codec) chapter {
	var c chapter
	c.entry.Counts = outbox.Tally{}
	for _, e := range entries {
		if e.Deltas > 0 {
			e = e.WithoutDeltas()
		}
		c.entry.Payload = append(c.entry.Payload, e.Payload...)
		c.entry.Records += e.Records
	}
	if c.entry.Records == 0 {
		return c
	}
	request := new(collogpb.ExportLogsServiceRequest)
	if err := proto.Unmarshal(c.entry.Payload, request); err != nil {
		return chapter{} // Not reached: these were encoded here.
	}
	for _, resource := range request.GetResourceLogs() {
		for _, scope := range resource.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				at := int64(record.GetTimeUnixNano()) //nolint:gosec // Until the year 2262.
				if at <= 0 {
					at = int64(record.GetObservedTimeUnixNano()) //nolint:gosec // As above.
				}
				if at <= 0 {
					at = now.UnixNano()
				}
				if c.first == 0 || at < c.first {
					c.first = at
				}
				c.last = max(c.last, at)
				if f, ok := newFact(record, at); ok {
					c.facts = append(c.facts, f)
				}
			}
		}
	}
	c.stored = codec.compress(c.entry.Payload)
	return c
}

// bytes is about what a chapter takes on disk.
func (c *chapter) bytes() int64 {
	return int64(len(c.stored)) + rowBytes + int64(len(c.facts))*factBytes
}

// tell adds the chapter to the history, if there is room beside what waits.
func (t *transaction) tell(ctx context.Context, tx *prepared) error {
	c := &t.chapter
	if c.entry.Records == 0 {
		return nil
	}
	t.told += c.entry.Records
	if err := t.forgetFor(ctx, tx, c.bytes()); err != nil {
		return err
	}
	if t.size+c.bytes() > t.limit() {
		t.forgets(HistoryFull, c.entry.Records)
		return nil
	}
	const insert = "INSERT INTO history (stored_at, first_at, last_at, records, raw_bytes, payload) VALUES (?, ?, ?, ?, ?, ?) RETURNING id"
	var id int64
	if err := tx.QueryRowContext(ctx, insert,
		t.now.UnixMilli(), c.first, c.last, c.entry.Records, len(c.entry.Payload), c.stored).Scan(&id); err != nil {
		return err
	}
	for _, f := range c.facts {
		if err := f.write(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

// forgetFor drops the oldest chapters until there is room for so many more bytes,
// or none is left.
func (t *transaction) forgetFor(ctx context.Context, tx *prepared, incoming int64) error {
	full := func() (bool, error) {
		err := t.measure(ctx, tx)
		return t.size+incoming > t.limit(), err
	}
	return t.forget(ctx, tx, HistoryFull, "SELECT id, records FROM history ORDER BY id LIMIT 1", full)
}

// forgets counts records that leave the history.
func (t *transaction) forgets(reason string, records int) {
	if t.forgotten == nil {
		t.forgotten = make(map[string]int)
	}
	t.forgotten[reason] += records
}

// forget drops the oldest chapter that a query finds, again and again while more
// asks for it, with all that is known from it alone.
func (t *transaction) forget(ctx context.Context, tx *prepared, reason, query string, more func() (bool, error), args ...any) error {
	for {
		if ok, err := more(); err != nil || !ok {
			return err
		}
		var id int64
		var records int
		switch err := tx.QueryRowContext(ctx, query, args...).Scan(&id, &records); {
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case err != nil:
			return err
		}
		for _, table := range []string{"exchanges", "prompts", "tool_calls", "conversations"} {
			if _, err := tx.ExecContext(ctx, fmt.Sprintf("DELETE FROM %s WHERE history <= ?", table), id); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM history WHERE id = ?", id); err != nil {
			return err
		}
		t.forgets(reason, records)
	}
}
