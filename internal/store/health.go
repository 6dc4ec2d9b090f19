package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// repeatAfter is how long a reason that was logged is not logged again, however
// often the disk comes and goes.
const repeatAfter = time.Minute

// Why records leave the history.
const (
	HistoryExpired = "expired"    // older than MaxAge
	HistoryFull    = "queue_full" // to make room, on disk or in memory
)

// Stats tells how the disk does.
type Stats struct {
	// Durable is set while batches are written.
	Durable bool
	// Trouble names why they are not: disk_full, read_only, no_access, busy,
	// foreign, newer_schema, damaged, in_use or io_error.
	Trouble string
	// Bytes is the size of the database as of the last transaction.
	Bytes int64
	// Commits counts transactions, Failures what could not be read or written.
	Commits, Failures int64
	// History is the number of records in the history, HistoryDropped counts those
	// that went, by reason. Every reason is present from the start.
	History        int64
	HistoryDropped map[string]int64
	// SetAside counts damaged databases, Unreadable damaged batches.
	SetAside, Unreadable int64
}

// health counts, and logs changes of state: that the disk cannot be used, once
// for each reason as long as that lasts, and that it can again.
type health struct {
	logger *slog.Logger

	commits, failures, setAside, unreadable, bytes atomic.Int64

	history, historyExpired, historyFull atomic.Int64

	mu     sync.Mutex
	cause  error // nil while all is well
	reason string
	logged map[string]time.Time // reason → when it was logged last
	told   bool                 // the failure that lasts was logged
	worked time.Time            // when a transaction succeeded last
}

// errNotTried is the cause before the first attempt.
var errNotTried = errors.New("the store is not open yet")

func (*health) context() context.Context { return context.Background() }

// fails notes an attempt that failed.
func (h *health) fails(err error) {
	h.failures.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cause, h.reason = err, reason(err)
	if !h.news(h.reason) {
		return
	}
	h.told = true
	h.logger.LogAttrs(h.context(), slog.LevelWarn, "telemetry is kept in memory only, the disk cannot be used",
		slog.String("reason", h.reason), slog.String("error", err.Error()))
}

// news reports whether a reason was not logged lately, or since the disk worked,
// and notes that it is. Its caller has the lock.
func (h *health) news(reason string) bool {
	now := time.Now()
	if last, ok := h.logged[reason]; ok && (now.Sub(last) < repeatAfter || last.After(h.worked)) {
		return false
	}
	if h.logged == nil {
		h.logged = make(map[string]time.Time)
	}
	h.logged[reason] = now
	return true
}

// attaches notes that a database is open.
func (h *health) attaches(records int) {
	if records > 0 {
		h.logger.LogAttrs(h.context(), slog.LevelInfo, "records of an earlier run wait for the collector", slog.Int("records", records))
	}
}

// works notes a transaction.
func (h *health) works(size int64, dropped int) {
	h.commits.Add(1)
	if size > 0 {
		h.bytes.Store(size)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.told {
		h.logger.LogAttrs(h.context(), slog.LevelInfo, "telemetry is kept on disk again")
	}
	h.cause, h.reason, h.told, h.worked = nil, "", false, time.Now()
	const full = "full"
	if dropped == 0 || !h.news(full) {
		return
	}
	h.logger.LogAttrs(h.context(), slog.LevelWarn, "the store is full, deltas and the oldest records are dropped",
		slog.Int("records", dropped))
}

// tells notes what a transaction did to the history.
func (h *health) tells(t *transaction) {
	h.historyExpired.Add(int64(t.forgotten[HistoryExpired]))
	h.historyFull.Add(int64(t.forgotten[HistoryFull]))
	h.history.Add(int64(t.told - t.forgotten[HistoryExpired] - t.forgotten[HistoryFull]))
}

// setsAside notes a damaged database.
func (h *health) setsAside(file string, cause error) {
	h.setAside.Add(1)
	h.logger.LogAttrs(h.context(), slog.LevelError, "damaged database set aside, a new one is begun",
		slog.String("file", file), slog.String("error", cause.Error()))
}

// forgetsAside notes that a damaged database was deleted for its age.
func (h *health) forgetsAside(file string, bytes int64) {
	h.logger.LogAttrs(h.context(), slog.LevelWarn, "damaged database deleted, it was kept for long enough",
		slog.String("file", file), slog.Int64("bytes", bytes))
}

// err returns why the disk cannot be used.
func (h *health) err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cause == nil {
		return errNotTried
	}
	return h.cause
}

// Stats returns how the disk does.
func (s *Store) Stats() Stats {
	s.staged.mu.Lock()
	inMemory := s.staged.dropped
	s.staged.mu.Unlock()
	h := &s.health
	h.mu.Lock()
	defer h.mu.Unlock()
	return Stats{
		Durable: h.cause == nil, Trouble: h.reason,
		Bytes: h.bytes.Load(), Commits: h.commits.Load(), Failures: h.failures.Load(),
		SetAside: h.setAside.Load(), Unreadable: h.unreadable.Load(), History: h.history.Load(),
		HistoryDropped: map[string]int64{HistoryExpired: h.historyExpired.Load(), HistoryFull: h.historyFull.Load() + inMemory},
	}
}
