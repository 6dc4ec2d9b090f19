package store

import (
	"context"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// rowBytes is about what a row takes beside its payload.
const rowBytes = 128

// chunk is how many rows are looked at to make room. The sender's claim is
// smaller.
const chunk = 64

// expire drops what waited for too long, and the history that is as old. The
// oldest rows have the lowest IDs, so that nobody has to look at a backlog as a
// whole.
func (t *transaction) expire(ctx context.Context, tx *prepared) error {
	const oldest = "SELECT id, records FROM history WHERE id = (SELECT min(id) FROM history) AND stored_at < ?"
	always := func() (bool, error) { return true, nil }
	if err := t.forget(ctx, tx, HistoryExpired, oldest, always, t.oldest.UnixMilli()); err != nil {
		return err
	}
	const text = "SELECT id, records, deltas, raw_bytes, counts, x'' FROM" +
		" (SELECT * FROM batches WHERE id > ? ORDER BY id LIMIT ?) WHERE stored_at < ? ORDER BY id"
	for after := uint64(0); ; {
		old, err := selectRows(ctx, tx, text, after, chunk, t.oldest.UnixMilli())
		if err != nil {
			return err
		}
		for _, r := range old {
			after = r.id
			if t.keep(r.id) {
				continue
			}
			if err := t.drop(ctx, tx, r, outbox.Expired); err != nil {
				return err
			}
		}
		if len(old) < chunk {
			return nil
		}
	}
}

// makeRoom drops history, deltas, and then whole batches, the oldest first, until
// there is room for so many more bytes. What is history is the collector's, too,
// or will be; what waits is nowhere else.
func (t *transaction) makeRoom(ctx context.Context, tx *prepared, incoming int64) error {
	limit := t.limit()
	// What comes may itself have to go; room is made for a part of it then.
	incoming = min(incoming, limit/2)
	limit -= incoming
	if err := t.forgetFor(ctx, tx, incoming); err != nil {
		return err
	}
	for _, pass := range []struct {
		text string
		thin bool
	}{
		{"SELECT id, records, deltas, raw_bytes, counts, payload FROM batches WHERE deltas > 0 AND id > ? ORDER BY id LIMIT ?", true},
		{"SELECT id, records, deltas, raw_bytes, counts, x'' FROM batches WHERE id > ? ORDER BY id LIMIT ?", false},
	} {
		for after := uint64(0); ; {
			if err := t.measure(ctx, tx); err != nil || t.size <= limit {
				return err
			}
			rows, err := selectRows(ctx, tx, pass.text, after, chunk)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				break
			}
			for _, r := range rows {
				after = r.id
				if t.keep(r.id) {
					continue
				}
				if pass.thin {
					err = t.thin(ctx, tx, r)
				} else {
					err = t.drop(ctx, tx, r, outbox.QueueFull)
				}
				if err != nil {
					return err
				}
				if err := t.measure(ctx, tx); err != nil || t.size <= limit {
					return err
				}
			}
		}
	}
	return nil
}

// limit is how large the database may get. The journal has the rest.
func (t *transaction) limit() int64 { return t.maxBytes - 2*walBytes }

// measure finds the size of what the database holds.
func (t *transaction) measure(ctx context.Context, tx *prepared) error {
	const text = "SELECT (c.page_count - f.freelist_count) * s.page_size" +
		" FROM pragma_page_count AS c, pragma_freelist_count AS f, pragma_page_size AS s"
	return tx.QueryRowContext(ctx, text).Scan(&t.size)
}

// thin takes the deltas out of a row.
func (t *transaction) thin(ctx context.Context, tx *prepared, r row) error {
	payload, ok := t.codec.expand(r.stored)
	if !ok {
		return t.drop(ctx, tx, r, outbox.Damaged)
	}
	r.Payload = payload
	left := r.WithoutDeltas()
	if left.Records == 0 {
		return t.drop(ctx, tx, r, outbox.QueueFull)
	}
	if err := t.change(ctx, tx, r.id, left); err != nil {
		return err
	}
	t.gone(r.Counts.Minus(left.Counts), r.rawBytes-int64(len(left.Payload)), outbox.QueueFull)
	return nil
}

// drop deletes a row.
func (t *transaction) drop(ctx context.Context, tx *prepared, r row, fate outbox.Fate) error {
	if err := t.change(ctx, tx, r.id, outbox.Entry{}); err != nil {
		return err
	}
	t.gone(r.Counts, r.rawBytes, fate)
	return nil
}

func (t *transaction) gone(counts outbox.Tally, bytes int64, fate outbox.Fate) {
	t.settled.Add(fate, counts)
	t.goneRecords += counts.Total()
	t.goneBytes += bytes
}

// selectRows reads rows at once, so that they can be changed.
func selectRows(ctx context.Context, tx *prepared, text string, args ...any) ([]row, error) {
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []row
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, rows.Err()
}
