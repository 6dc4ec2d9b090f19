package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // The driver.

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// fileName is the database in the state directory.
const fileName = "state.db"

// walBytes is how large the journal gets before it is folded into the database.
const walBytes = 1 << 20

// observed is the row of the ledger for what is no fate.
const observed = "observed"

// database is the file. It is used by one goroutine at a time.
type database struct {
	pool *sql.DB
	sql  prepared // its only connection
	path string
	info os.FileInfo
}

// row is a batch as it is stored.
type row struct {
	outbox.Entry // without payload until it is expanded

	id       uint64
	rawBytes int64 // of the payload, expanded
	stored   []byte
}

// adds reports whether the numbers of a row add up.
func (r *row) adds() bool { return r.Records > 0 && r.Records == r.Counts.Total() }

// contents is what a database holds when it is opened.
type contents struct {
	stored  outbox.Ledger // the books as they are written
	ledger  outbox.Ledger // the books as they must be
	queued  outbox.Tally
	records int
	bytes   int64
	last    uint64
	left    []row // what was held
	history int   // records
}

// reconcile makes the books tell of what is there.
func (c *contents) reconcile() {
	// What waits is booked as it was when it came.
	there := outbox.Ledger{}
	for name := range c.stored {
		there[name] = outbox.Account{}
	}
	there.Observe(c.queued)
	c.queued = there.Queued()
	c.ledger = c.stored.Plus(nil)
	for name := range there {
		switch n := int(c.stored[name].Queued()) - c.queued[name]; {
		case n > 0:
			c.ledger.Settle(outbox.Tally{name: n}, outbox.Damaged)
		case n < 0:
			c.ledger.Observe(outbox.Tally{name: -n})
		}
	}
}

// openDatabase opens or makes the file at path and returns what is in it.
func openDatabase(path string, steps []string) (*database, contents, error) {
	// SQLite would make it readable to all. The file is closed before SQLite opens
	// it: closing it later would drop SQLite's locks.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, contents{}, fmt.Errorf("open database: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm() != 0o600 {
		err = f.Chmod(0o600)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, contents{}, fmt.Errorf("open database: %w", err)
	}
	pool, err := sql.Open("sqlite", dataSource(path))
	if err != nil {
		return nil, contents{}, fmt.Errorf("open database: %w", err)
	}
	// Settings are those of a connection, so there is one.
	pool.SetMaxOpenConns(1)
	d := &database{pool: pool, path: path, info: info}
	ctx := context.Background()
	if err = migrate(ctx, pool, steps); err == nil {
		d.sql.conn, err = pool.Conn(ctx)
	}
	if err != nil {
		d.close()
		return nil, contents{}, fmt.Errorf("open database: %w", err)
	}
	found, err := d.load(ctx)
	if err != nil {
		d.close()
		return nil, contents{}, fmt.Errorf("read database: %w", err)
	}
	return d, found, nil
}

// dataSource is the connection string of a file. A transaction takes the lock for
// writing at once, and is on disk when it is committed.
func dataSource(path string) string {
	settings := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(1000)",
		"auto_vacuum(incremental)",
		"journal_mode(wal)",
		"synchronous(full)",
		"fullfsync(on)",
		"checkpoint_fullfsync(on)",
		fmt.Sprintf("wal_autocheckpoint(%d)", walBytes/4096),
		fmt.Sprintf("journal_size_limit(%d)", walBytes),
		"cell_size_check(on)",
		"trusted_schema(off)",
		"temp_store(memory)",
		"cache_size(-1024)",
	}}
	return (&url.URL{Scheme: "file", Path: slashed(path), RawQuery: settings.Encode()}).String()
}

// slashed is a path as a URL has it.
func slashed(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/...
	}
	return path
}

// close closes the file. What it says is of no use to anybody: everything that
// was committed is safe.
func (d *database) close() {
	d.sql.close()
	_ = d.pool.Close()
}

// isThere reports whether the file is still where it was opened.
func (d *database) isThere() bool {
	info, err := os.Stat(d.path)
	return err == nil && os.SameFile(info, d.info) || err != nil && !errors.Is(err, fs.ErrNotExist)
}

// load reads the books and what waits. Where they differ, which takes damage or
// somebody else's hands, the books are made to tell of what is there.
func (d *database) load(ctx context.Context) (contents, error) {
	found := contents{stored: outbox.Ledger{}, queued: outbox.Tally{}}
	const sums = "SELECT coalesce(sum(records), 0), coalesce(sum(raw_bytes), 0), coalesce(max(id), 0) FROM batches"
	if err := d.sql.QueryRowContext(ctx, sums).Scan(&found.records, &found.bytes, &found.last); err != nil {
		return found, err
	}
	if err := d.sql.QueryRowContext(ctx, "SELECT coalesce(sum(records), 0) FROM history").Scan(&found.history); err != nil {
		return found, err
	}
	const queued = "SELECT key, sum(value) FROM batches, json_each(counts) GROUP BY key"
	if err := d.query(ctx, queued, func(rows *sql.Rows) error {
		var name string
		var n int
		err := rows.Scan(&name, &n)
		found.queued[name] = n
		return err
	}); err != nil {
		return found, err
	}
	fates := map[string]outbox.Fate{}
	for _, fate := range outbox.Fates() {
		fates[fate.String()] = fate
	}
	if err := d.query(ctx, "SELECT event, fate, records FROM ledger", func(rows *sql.Rows) error {
		var name, text string
		var n int64
		if err := rows.Scan(&name, &text, &n); err != nil {
			return err
		}
		account := found.stored[name]
		if fate, ok := fates[text]; ok {
			account.Settled[fate] = n
		} else if text == observed {
			account.Observed = n
		}
		found.stored[name] = account
		return nil
	}); err != nil {
		return found, err
	}
	var err error
	if found.left, err = d.left(ctx); err != nil {
		return found, err
	}
	found.reconcile()
	return found, nil
}

// query calls f with every row of a query.
func (d *database) query(ctx context.Context, text string, f func(*sql.Rows) error) error {
	rows, err := d.sql.QueryContext(ctx, text)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// each calls f with the rows above an ID, oldest first, as long as it wants more.
func (d *database) each(after uint64, f func(row) (more bool)) error {
	const text = "SELECT id, records, deltas, raw_bytes, counts, payload FROM batches WHERE id > ? ORDER BY id"
	rows, err := d.sql.QueryContext(context.Background(), text, after)
	if err != nil {
		return fmt.Errorf("read batch: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return fmt.Errorf("read batch: %w", err)
		}
		if !f(r) {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read batch: %w", err)
	}
	return nil
}

// scan reads the columns id, records, deltas, raw_bytes, counts, payload.
func scan(rows *sql.Rows) (row, error) {
	var r row
	var counts []byte
	if err := rows.Scan(&r.id, &r.Records, &r.Deltas, &r.rawBytes, &counts, &r.stored); err != nil {
		return row{}, err
	}
	if err := json.Unmarshal(counts, &r.Counts); err != nil {
		return row{}, errors.Join(errDamaged, err)
	}
	r.ID = r.id
	return r, nil
}

// shift lowers all IDs.
func (d *database) shift(by uint64) error {
	if _, err := d.sql.ExecContext(context.Background(), "UPDATE batches SET id = id - ?", by); err != nil {
		return fmt.Errorf("renumber batches: %w", err)
	}
	return nil
}

// shrinkPages is how many free pages are given back at a time.
const shrinkPages = 4096

// shrink folds the journal into the database and gives free pages back if there
// are many.
func (d *database) shrink() error {
	ctx := context.Background()
	var free int
	if err := d.sql.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&free); err != nil {
		return fmt.Errorf("shrink database: %w", err)
	}
	if free > shrinkPages {
		if _, err := d.sql.ExecContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", shrinkPages)); err != nil {
			return fmt.Errorf("shrink database: %w", err)
		}
	}
	if _, err := d.sql.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return fmt.Errorf("shrink database: %w", err)
	}
	return nil
}
