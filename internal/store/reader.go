package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// readChunk is how many chapters are read at a time, and readBytes how many bytes
// of them. What is read at a time keeps the writer from reusing its journal.
const (
	readChunk = 64
	readBytes = 8 << 20
)

// ErrNoHistory tells that there is no database, or one without a history.
var ErrNoHistory = errors.New("there is no history")

// Reader reads the history of a state directory, also while a Store has it. It
// changes nothing there.
type Reader struct {
	sql   querier
	pool  *sql.DB
	codec *codec
}

// OpenReader opens the history of a state directory. The error is [ErrNoHistory]
// when there is none.
func OpenReader(ctx context.Context, dir string) (*Reader, error) {
	path := filepath.Join(dir, fileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open history in %s: %w", dir, ErrNoHistory)
	}
	pool, err := openReadOnly(path)
	if err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	r := &Reader{sql: pool, pool: pool}
	if err := r.check(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open history in %s: %w", dir, err)
	}
	if r.codec, err = newCodec(); err != nil {
		pool.Close()
		return nil, err
	}
	return r, nil
}

// openReadOnly opens a database that is only read.
func openReadOnly(path string) (*sql.DB, error) {
	pool, err := sql.Open("sqlite", readOnly(path))
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	return pool, nil
}

// readOnly is the connection string of a file that is only read.
func readOnly(path string) string {
	settings := url.Values{"mode": {"ro"}, "_pragma": {
		"busy_timeout(1000)", "query_only(on)", "trusted_schema(off)", "cell_size_check(on)", "temp_store(memory)",
	}}
	return (&url.URL{Scheme: "file", Path: slashed(path), RawQuery: settings.Encode()}).String()
}

// check returns why a database has no history for this version to read.
func (r *Reader) check(ctx context.Context) error {
	version, err := schemaVersion(ctx, r.sql)
	switch {
	case err != nil:
		return err
	case version > len(migrations()):
		return errNewer
	}
	var tables int
	if err := r.sql.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'history'").Scan(&tables); err != nil {
		return err
	}
	if tables == 0 {
		return ErrNoHistory
	}
	return nil
}

// Each calls f with what was told between two times, as
// ExportLogsServiceRequests in the order in which they were written, until f
// fails. Records outside of that time may be among them. A zero time is no bound.
// It returns how many requests could not be read.
func (r *Reader) Each(ctx context.Context, since, until time.Time, f func(request []byte) error) (damaged int, err error) {
	from, to := int64(0), int64(1<<63-1)
	if !since.IsZero() {
		from = nanoseconds(since)
	}
	if !until.IsZero() {
		to = nanoseconds(until)
	}
	for after := int64(0); ; {
		chapters, last, err := r.chunk(ctx, after, from, to)
		if err != nil {
			return damaged, fmt.Errorf("read history: %w", err)
		}
		for _, stored := range chapters {
			request, ok := r.codec.expand(stored)
			if !ok {
				damaged++
				continue
			}
			if err := f(request); err != nil {
				return damaged, err
			}
		}
		if len(chapters) == 0 {
			return damaged, nil
		}
		after = last
	}
}

// nanoseconds returns a time since 1970, or the bound of what there is.
func nanoseconds(at time.Time) int64 {
	switch {
	case at.Year() < 1678:
		return 0
	case at.Year() > 2261:
		return 1<<63 - 1
	default:
		return at.UnixNano()
	}
}

// chunk reads the next chapters after an ID, and returns the ID of the last one.
func (r *Reader) chunk(ctx context.Context, after, from, to int64) (chapters [][]byte, last int64, err error) {
	rows, err := r.sql.QueryContext(ctx,
		"SELECT id, payload FROM history WHERE id > ? AND last_at >= ? AND first_at < ? ORDER BY id LIMIT ?", after, from, to, readChunk)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for size := 0; size < readBytes && rows.Next(); {
		var stored []byte
		if err := rows.Scan(&last, &stored); err != nil {
			return nil, 0, err
		}
		chapters = append(chapters, stored)
		size += len(stored)
	}
	return chapters, last, rows.Err()
}

// Close closes the Reader.
func (r *Reader) Close() error {
	r.codec.close()
	return r.pool.Close()
}
