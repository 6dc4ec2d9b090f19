package otlp

import (
	"slices"
	"sync"
)

// MemoryOutbox is an [Outbox] in memory, bounded in records and bytes. While the
// collector is slow, small batches that wait are joined into larger ones.
type MemoryOutbox struct {
	queue QueueLimits
	batch BatchLimits
	ready chan struct{}

	mu      sync.Mutex
	entries []Entry // oldest first
	last    uint64  // highest ID given
	claimed uint64  // ID of the entry being sent, 0 for none
	records int
	bytes   int
}

var _ Outbox = (*MemoryOutbox)(nil)

// NewMemoryOutbox returns an empty outbox. Limits that are zero take their
// defaults.
func NewMemoryOutbox(queue QueueLimits, batch BatchLimits) *MemoryOutbox {
	return &MemoryOutbox{
		queue: queue.withDefaults(),
		batch: batch.withDefaults(),
		ready: make(chan struct{}, 1),
	}
}

// Append implements Outbox.
func (o *MemoryOutbox) Append(e Entry) (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.records += e.Records
	o.bytes += len(e.Payload)
	if tail := len(o.entries) - 1; tail >= 0 && o.joins(o.entries[tail], e) {
		o.entries[tail] = o.entries[tail].join(e)
	} else {
		o.last++
		e.ID = o.last
		o.entries = append(o.entries, e)
	}
	for o.records > o.queue.MaxRecords || o.bytes > o.queue.MaxBytes {
		n := o.makeRoom()
		if n == 0 {
			break
		}
		dropped += n
	}
	select {
	case o.ready <- struct{}{}:
	default:
	}
	return dropped
}

// joins reports whether e fits into the batch before it.
func (o *MemoryOutbox) joins(tail, e Entry) bool {
	return tail.ID != o.claimed &&
		tail.Records+e.Records <= o.batch.MaxRecords &&
		len(tail.Payload)+len(e.Payload) <= o.batch.MaxBytes
}

// makeRoom drops the deltas of the oldest entry that has some, or else the
// oldest entry, and returns the number of records that went. The claimed entry
// stays: what is on its way cannot be told to be lost.
func (o *MemoryOutbox) makeRoom() (dropped int) {
	i := slices.IndexFunc(o.entries, func(e Entry) bool { return e.ID != o.claimed && e.Deltas > 0 })
	if i >= 0 {
		thinned := o.entries[i].WithoutDeltas()
		dropped = o.entries[i].Records - thinned.Records
		o.replace(i, thinned)
		return dropped
	}
	i = slices.IndexFunc(o.entries, func(e Entry) bool { return e.ID != o.claimed })
	if i < 0 {
		return 0
	}
	dropped = o.entries[i].Records
	o.replace(i, Entry{})
	return dropped
}

// Ready implements Outbox.
func (o *MemoryOutbox) Ready() <-chan struct{} { return o.ready }

// Next implements Outbox.
func (o *MemoryOutbox) Next(after uint64) (Entry, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.IndexFunc(o.entries, func(e Entry) bool { return e.ID > after })
	if i < 0 {
		return Entry{}, false
	}
	o.claimed = o.entries[i].ID
	return o.entries[i], true
}

// Done implements Outbox.
func (o *MemoryOutbox) Done(left Entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.claimed = 0
	if i := slices.IndexFunc(o.entries, func(e Entry) bool { return e.ID == left.ID }); i >= 0 {
		o.replace(i, left)
	}
}

// replace puts e in the place of an entry, which goes if e has no records.
func (o *MemoryOutbox) replace(i int, e Entry) {
	o.records += e.Records - o.entries[i].Records
	o.bytes += len(e.Payload) - len(o.entries[i].Payload)
	if e.Records == 0 {
		o.entries = slices.Delete(o.entries, i, i+1)
		return
	}
	o.entries[i] = e
}

// Last implements Outbox.
func (o *MemoryOutbox) Last() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// Size implements Outbox.
func (o *MemoryOutbox) Size() (records, bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.records, o.bytes
}

// Close implements Outbox.
func (o *MemoryOutbox) Close() (lost int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	lost = o.records
	o.entries, o.records, o.bytes = nil, 0, 0
	return lost
}
