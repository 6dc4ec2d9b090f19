package outbox

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// Limits bound records and bytes.
type Limits struct{ MaxRecords, MaxBytes int }

// Memory is an [Outbox] in memory, bounded in records and bytes. While the
// collector is slow, small batches that wait are joined into larger ones.
type Memory struct {
	queue Limits
	batch Limits
	ready chan struct{}

	mu      sync.Mutex
	entries []Entry // oldest first
	held    int     // so many of the oldest are being written elsewhere
	last    uint64  // highest ID given
	claimed uint64  // ID of the entry being sent, 0 for none
	records int
	bytes   int
	earlier Ledger // settled before the process began
	book    Ledger // since
}

var _ Outbox = (*Memory)(nil)

// NewMemory returns an empty outbox that holds as much as queue says and joins
// batches up to the size that batch says.
func NewMemory(queue, batch Limits) *Memory {
	return &Memory{queue: queue, batch: batch, ready: make(chan struct{}, 1), book: Ledger{}}
}

// Append implements Outbox.
func (o *Memory) Append(e Entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.book.Observe(e.Counts)
	o.records += e.Records
	o.bytes += len(e.Payload)
	if tail := len(o.entries) - 1; tail >= o.held && o.joins(o.entries[tail], e) {
		o.entries[tail] = o.entries[tail].Join(e)
	} else {
		o.last++
		e.ID = o.last
		o.entries = append(o.entries, e)
	}
	for o.records > o.queue.MaxRecords || o.bytes > o.queue.MaxBytes {
		if !o.makeRoom() {
			break
		}
	}
	o.Wake()
}

// Wake makes Ready receive.
func (o *Memory) Wake() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// joins reports whether e fits into the batch before it.
func (o *Memory) joins(tail, e Entry) bool {
	return tail.ID != o.claimed &&
		tail.Records+e.Records <= o.batch.MaxRecords &&
		len(tail.Payload)+len(e.Payload) <= o.batch.MaxBytes
}

// makeRoom drops the deltas of the oldest entry that has some, or else the
// oldest entry, and reports whether anything went. Claimed entries stay: what is
// on its way cannot be told to be lost. So do held ones.
func (o *Memory) makeRoom() bool {
	i := o.oldest(func(e Entry) bool { return e.Deltas > 0 })
	var left Entry
	if i >= 0 {
		left = o.entries[i].WithoutDeltas()
	} else if i = o.oldest(func(Entry) bool { return true }); i < 0 {
		return false
	}
	o.book.Settle(o.entries[i].Counts.Minus(left.Counts), QueueFull)
	o.replace(i, left)
	return true
}

// oldest returns the index of the first entry that may go and is as asked.
func (o *Memory) oldest(is func(Entry) bool) int {
	for i := o.held; i < len(o.entries); i++ {
		if o.entries[i].ID != o.claimed && is(o.entries[i]) {
			return i
		}
	}
	return -1
}

// Lose implements Outbox.
func (o *Memory) Lose(t Tally, fate Fate) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.book.Observe(t)
	o.book.Settle(t, fate)
}

// Keep implements Outbox: memory has nothing to keep it in that lasts longer.
func (*Memory) Keep(uint64, Entry) {}

// Forget implements Outbox.
func (*Memory) Forget([]uint64) {}

// Ready implements Outbox.
func (o *Memory) Ready() <-chan struct{} { return o.ready }

// Next implements Outbox.
func (o *Memory) Next(after uint64) (Entry, bool) {
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
func (o *Memory) Done(left Entry, settled Settled) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.claimed = 0
	for fate, t := range settled {
		o.book.Settle(t, fate)
	}
	if i := slices.IndexFunc(o.entries, func(e Entry) bool { return e.ID == left.ID }); i >= 0 {
		o.replace(i, left)
	}
}

// replace puts e in the place of an entry, which goes if e has no records.
func (o *Memory) replace(i int, e Entry) {
	o.records += e.Records - o.entries[i].Records
	o.bytes += len(e.Payload) - len(o.entries[i].Payload)
	if e.Records == 0 {
		o.entries = slices.Delete(o.entries, i, i+1)
		return
	}
	o.entries[i] = e
}

// Last implements Outbox.
func (o *Memory) Last() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// Size implements Outbox.
func (o *Memory) Size() (records, bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.records, o.bytes
}

// Ledger implements Outbox.
func (o *Memory) Ledger() (ever, process Ledger) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.earlier.Plus(o.book), maps.Clone(o.book)
}

// Sync implements Outbox: memory is as safe as it gets.
func (o *Memory) Sync(context.Context) error { return nil }

// Close implements Outbox.
func (o *Memory) Close() (lost int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.entries {
		o.book.Settle(e.Counts, Shutdown)
	}
	lost = o.records
	o.entries, o.held, o.records, o.bytes = nil, 0, 0, 0
	return lost
}
