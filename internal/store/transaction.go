package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// MinBytes is the least that a store is bounded to: the journal and some batches.
const MinBytes = 4 << 20

// transaction is one change of everything.
type transaction struct {
	now, oldest time.Time // what is older goes
	maxBytes    int64
	entries     []outbox.Entry          // new
	changed     map[uint64]outbox.Entry // rows to replace; no records: to delete
	chapter     chapter                 // of the history
	held        heldChange
	keep        func(id uint64) bool // rows that must not be dropped
	ledger      outbox.Ledger        // the books; those after it when it is committed
	written     outbox.Ledger        // the books on disk
	codec       *codec

	// What it comes to.
	settled     outbox.Settled // records dropped
	goneRecords int            // the same, and their payloads
	goneBytes   int64
	size        int64 // of the database
	told        int   // records that became history
	forgotten   map[string]int
}

// commit carries a transaction out.
func (d *database) commit(t *transaction) error {
	ctx := context.Background()
	tx, err := d.sql.conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write batches: %w", err)
	}
	if err := t.run(ctx, &d.sql); err != nil {
		return fmt.Errorf("write batches: %w", errors.Join(err, tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write batches: %w", errors.Join(err, tx.Rollback()))
	}
	return nil
}

func (t *transaction) run(ctx context.Context, tx *prepared) error {
	t.settled, t.ledger, t.told, t.forgotten = outbox.Settled{}, t.ledger.Plus(nil), 0, nil
	for id, e := range t.changed {
		if err := t.change(ctx, tx, id, e); err != nil {
			return err
		}
	}
	if err := t.expire(ctx, tx); err != nil {
		return err
	}
	// Room is made first, so that the file never needs more than it may have.
	var incoming int64
	stored := make([][]byte, len(t.entries))
	for i, e := range t.entries {
		stored[i] = t.codec.compress(e.Payload)
		incoming += int64(len(stored[i])) + rowBytes
	}
	for _, e := range t.held.rows {
		incoming += int64(len(e.Payload)) + rowBytes
	}
	if err := t.makeRoom(ctx, tx, incoming); err != nil {
		return err
	}
	if err := t.holdBack(ctx, tx); err != nil {
		return err
	}
	for i, e := range t.entries {
		counts, err := json.Marshal(e.Counts)
		if err != nil {
			return err
		}
		const insert = "INSERT INTO batches (id, stored_at, records, deltas, raw_bytes, counts, payload) VALUES (?, ?, ?, ?, ?, ?, ?)"
		if _, err := tx.ExecContext(ctx, insert,
			e.ID, t.now.UnixMilli(), e.Records, e.Deltas, len(e.Payload), string(counts), stored[i]); err != nil {
			return err
		}
	}
	if err := t.makeRoom(ctx, tx, 0); err != nil {
		return err
	}
	if err := t.tell(ctx, tx); err != nil {
		return err
	}
	return t.keepBooks(ctx, tx)
}

// change replaces or deletes a row.
func (t *transaction) change(ctx context.Context, tx *prepared, id uint64, e outbox.Entry) error {
	if e.Records == 0 {
		_, err := tx.ExecContext(ctx, "DELETE FROM batches WHERE id = ?", id)
		return err
	}
	counts, err := json.Marshal(e.Counts)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE batches SET records = ?, deltas = ?, raw_bytes = ?, counts = ?, payload = ? WHERE id = ?",
		e.Records, e.Deltas, len(e.Payload), string(counts), t.codec.compress(e.Payload), id)
	return err
}

// keepBooks writes the accounts that changed.
func (t *transaction) keepBooks(ctx context.Context, tx *prepared) error {
	for fate, tally := range t.settled {
		t.ledger.Settle(tally, fate)
	}
	const upsert = "INSERT INTO ledger (event, fate, records) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET records = excluded.records"
	for name, account := range t.ledger {
		before := t.written[name]
		if account.Observed != before.Observed {
			if _, err := tx.ExecContext(ctx, upsert, name, observed, account.Observed); err != nil {
				return err
			}
		}
		for _, fate := range outbox.Fates() {
			if account.Settled[fate] == before.Settled[fate] {
				continue
			}
			if _, err := tx.ExecContext(ctx, upsert, name, fate.String(), account.Settled[fate]); err != nil {
				return err
			}
		}
	}
	return nil
}
