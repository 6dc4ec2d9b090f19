package otlp

import (
	"sync"
	"time"
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
	// LastError is the newest reason for a failed try, without credentials.
	LastError     string
	LastErrorTime time.Time
}

// Dropped counts records given up, by reason.
type Dropped struct {
	QueueFull int64 // to make room for newer ones
	Refused   int64 // the collector refused them for good
	TooLarge  int64 // the collector refused them for their size
	Shutdown  int64 // not delivered in time at shutdown, or recorded after it
}

// Total is the number of records dropped for any reason.
func (d Dropped) Total() int64 { return d.QueueFull + d.Refused + d.TooLarge + d.Shutdown }

// reason says why records are dropped.
type reason uint8

const (
	reasonQueueFull reason = iota
	reasonRefused
	reasonTooLarge
	reasonShutdown
)

// ledger counts under one lock, so that its snapshots always balance.
type ledger struct {
	mu    sync.Mutex
	stats Stats
}

func (l *ledger) recorded(records int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Recorded += int64(records)
}

func (l *ledger) dropped(why reason, records int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch n := int64(records); why {
	case reasonQueueFull:
		l.stats.Dropped.QueueFull += n
	case reasonRefused:
		l.stats.Dropped.Refused += n
	case reasonTooLarge:
		l.stats.Dropped.TooLarge += n
	case reasonShutdown:
		l.stats.Dropped.Shutdown += n
	}
}

// accepted counts a batch the collector took. What it says it rejected is
// trusted only as far as the batch goes.
func (l *ledger) accepted(records int, rejected int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rejected = min(max(0, rejected), int64(records))
	l.stats.Batches++
	l.stats.Rejected += rejected
	l.stats.Delivered += int64(records) - rejected
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

func (l *ledger) snapshot() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Queued = s.Recorded - s.Delivered - s.Rejected - s.Dropped.Total()
	return s
}
