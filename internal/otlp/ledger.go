package otlp

import (
	"sync"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// Stats is a snapshot of an Exporter. Of records it holds at any moment that
// Recorded = Queued + Delivered + Rejected + the sum of Dropped.
type Stats struct {
	// Recorded counts the records made of what was recorded; the codex schema
	// makes two or none of some. Records found in the outbox at the start count
	// too.
	Recorded int64
	// Queued counts the records that wait or are on their way.
	Queued int64
	// QueuedBytes is the encoded size of what is queued.
	QueuedBytes int64
	// Delivered counts the records the collector took.
	Delivered int64
	// Rejected counts the records the collector left out of a batch it took, by
	// its own count (OTLP's partial success).
	Rejected int64
	Dropped  Dropped
	// Batches counts the requests the collector took.
	Batches int64
	// FailedTries counts the requests it did not take, for any reason.
	FailedTries int64
	// Retries counts the requests that repeated one that may succeed later.
	Retries int64
	// Panics counts those that were contained while a batch was sealed.
	Panics int64
	// LastError is the newest reason for a failed try, without credentials.
	LastError     string
	LastErrorTime time.Time
}

// Dropped counts records given up, by reason.
type Dropped struct {
	QueueFull int64 // to make room for newer ones
	Expired   int64 // older than they may get
	Damaged   int64 // not readable any more
	Refused   int64 // the collector refused them for good
	TooLarge  int64 // the collector refused them for their size
	Shutdown  int64 // not delivered in time at shutdown, or recorded after it
	// NoExporter counts what a local Exporter was told.
	NoExporter int64
}

// Total is the number of records dropped for any reason.
func (d Dropped) Total() int64 {
	return d.QueueFull + d.Expired + d.Damaged + d.Refused + d.TooLarge + d.Shutdown + d.NoExporter
}

// ledger counts requests. The books of the records are the outbox's.
type ledger struct {
	mu    sync.Mutex
	stats Stats
}

func (l *ledger) accepted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Batches++
}

func (l *ledger) failed(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.FailedTries++
	l.stats.LastError, l.stats.LastErrorTime = text, time.Now()
}

func (l *ledger) retried() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Retries++
}

// snapshot returns the counts of the requests and those of the records.
func (l *ledger) snapshot(records outbox.Account) Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Recorded = records.Observed
	s.Queued = records.Queued()
	s.Delivered = records.Settled[outbox.Delivered]
	s.Rejected = records.Settled[outbox.PartialSuccess]
	s.Dropped = Dropped{
		QueueFull: records.Settled[outbox.QueueFull],
		Expired:   records.Settled[outbox.Expired],
		Damaged:   records.Settled[outbox.Damaged],
		Refused:   records.Settled[outbox.Refused],
		TooLarge:  records.Settled[outbox.TooLarge],
		Shutdown:  records.Settled[outbox.Shutdown],

		NoExporter: records.Settled[outbox.NoExporter],
	}
	return s
}
