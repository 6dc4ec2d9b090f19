// Package store keeps on disk what waits for a collector, the ledger of what
// became of every record, and, if asked for, a history of what was recorded. It is
// an [outbox.Outbox] on SQLite.
//
// Batches wait in memory for the next transaction, which comes at most
// [Config.Delay] later and holds everything that changed: new batches, those
// delivered or dropped, and the books. So what a crash leaves behind balances.
// While nothing can be written, the memory is the outbox, bounded and counted,
// and the store tries again.
package store

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// Config says where a Store writes and how much. All but Dir has a default.
type Config struct {
	// Dir is the state directory. It is made if it is missing.
	Dir string
	// MaxBytes bounds the files; 0 means 1 GiB. Past it deltas go first, then the
	// oldest batches.
	MaxBytes int64
	// MaxAge is how long a batch may wait; 0 means 7 days.
	MaxAge time.Duration
	// Delay is how long a batch waits for others before they are written in one
	// transaction; 0 means 50 ms.
	Delay time.Duration
	// Retry is the pause between attempts while nothing can be written; 0 means 5 s.
	Retry time.Duration
	// Memory bounds what waits in memory, which is little unless nothing can be
	// written; zero fields mean 65536 records and 64 MiB.
	Memory outbox.Limits
	// Batch bounds the batches that the sender gets; zero fields mean 512 records
	// and 1 MiB.
	Batch outbox.Limits
	// History keeps what was recorded, deltas left out, as long as MaxBytes and
	// MaxAge allow. It makes room before what waits for the collector does.
	History bool
	// NoSender says that nobody sends: what is recorded is in the history, if
	// anywhere, and in the books as such.
	NoSender bool
	// Logger takes changes of state; nil discards them.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.MaxBytes <= 0 {
		c.MaxBytes = 1 << 30
	}
	c.MaxBytes = max(c.MaxBytes, MinBytes)
	if c.MaxAge <= 0 {
		c.MaxAge = 7 * 24 * time.Hour
	}
	if c.Delay <= 0 {
		c.Delay = 50 * time.Millisecond
	}
	if c.Retry <= 0 {
		c.Retry = 5 * time.Second
	}
	c.Memory = withDefaults(c.Memory, outbox.Limits{MaxRecords: 65536, MaxBytes: 64 << 20})
	c.Batch = withDefaults(c.Batch, outbox.Limits{MaxRecords: 512, MaxBytes: 1 << 20})
	// The memory drops whole batches: one that fills it alone would always go.
	c.Batch.MaxRecords = min(c.Batch.MaxRecords, max(1, c.Memory.MaxRecords/4))
	c.Batch.MaxBytes = min(c.Batch.MaxBytes, max(1, c.Memory.MaxBytes/4))
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func withDefaults(l, fallback outbox.Limits) outbox.Limits {
	if l.MaxRecords <= 0 {
		l.MaxRecords = fallback.MaxRecords
	}
	if l.MaxBytes <= 0 {
		l.MaxBytes = fallback.MaxBytes
	}
	return l
}

// Store is an outbox on disk.
//
// Run writes as long as the program works. Close writes the rest.
type Store struct {
	cfg    Config
	memory *outbox.Memory // what no transaction has yet, and the books
	codec  *codec
	wake   chan struct{} // receives when there is something to write

	// What is on disk, as Size tells it without waiting for the disk.
	records, bytes atomic.Int64

	staged staged
	held   held

	// rounds guards the transaction that is waited for and has not begun.
	rounds sync.Mutex
	next   *round

	// disk is held while the disk is read or written.
	disk    sync.Mutex
	db      *database // nil while there is none to use
	lock    *dirLock
	claim   claim
	changed map[uint64]outbox.Entry // rows as they are after Done; no records: gone
	floor   uint64                  // no row with an ID up to it is left
	written outbox.Ledger           // the books as they are on disk
	adopted bool                    // what an earlier process held is appended, and still held on disk
	retryAt time.Time               // nothing is tried before
	tidied  time.Time               // when age and free space were looked after
	closed  bool

	health health
}

var _ outbox.Outbox = (*Store)(nil)

// Open returns a Store. A disk that cannot be used is no error: the Store starts
// in memory and tries again. The error is an [*InUseError] when another process
// has the directory.
func Open(cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	if cfg.Dir == "" {
		return nil, errors.New("open store: no directory")
	}
	codec, err := newCodec()
	if err != nil {
		return nil, err
	}
	s := &Store{
		cfg:     cfg,
		memory:  outbox.NewMemory(cfg.Memory, cfg.Batch),
		codec:   codec,
		wake:    make(chan struct{}, 1),
		changed: make(map[uint64]outbox.Entry),
		health:  health{logger: cfg.Logger.With(slog.String("dir", cfg.Dir))},
	}
	// IDs go on where earlier processes ended, whether or not their files can be
	// read right now.
	s.memory.Advance(uint64(max(0, time.Now().UnixMicro())))
	s.disk.Lock()
	defer s.disk.Unlock()
	if err := s.attach(); err != nil {
		if inUse, ok := errors.AsType[*InUseError](err); ok {
			return nil, inUse
		}
		s.fails(err)
	}
	return s, nil
}

// nudge tells Run that there is something to write.
func (s *Store) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Lose implements outbox.Outbox.
func (s *Store) Lose(t outbox.Tally, fate outbox.Fate) {
	s.memory.Lose(t, fate)
	s.nudge()
}

// Ready implements outbox.Outbox.
func (s *Store) Ready() <-chan struct{} { return s.memory.Ready() }

// Last implements outbox.Outbox.
func (s *Store) Last() uint64 { return s.memory.Last() }

// Size implements outbox.Outbox.
func (s *Store) Size() (records, bytes int) {
	records, bytes = s.memory.Size()
	return records + int(s.records.Load()), bytes + int(s.bytes.Load())
}

// Ledger implements outbox.Outbox.
func (s *Store) Ledger() (ever, process outbox.Ledger) { return s.memory.Ledger() }

// Close implements outbox.Outbox. What could be written is not lost.
func (s *Store) Close() (lost int) {
	s.disk.Lock()
	defer s.disk.Unlock()
	if s.closed {
		return 0
	}
	s.closed = true
	if s.db != nil {
		_ = s.commit() // What is left in memory tells.
		s.db.close()
		s.db = nil
	}
	s.lock.release()
	s.codec.close()
	return s.memory.Close()
}
