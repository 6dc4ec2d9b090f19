// Package outbox is what stands between those who record and the one who sends:
// sealed batches that wait for a collector, and the ledger of what became of
// every record in them.
//
// It is vocabulary for its neighbors, who do not know each other: internal/otlp
// fills and empties an [Outbox], internal/store keeps one on disk.
package outbox

import "context"

// Outbox keeps sealed batches, oldest first, until the collector has them, and
// the ledger of them. [NewMemory] forgets at exit, a store on disk does not.
//
// Append, Lose, Keep, Forget, Ledger, Size and Sync may be called by any
// goroutine, the other methods by one at a time. Next and Done make a claim: an entry that Next
// returned is neither changed nor dropped before Done.
type Outbox interface {
	// Append takes a batch and gives it an ID above all earlier ones. It must not
	// block on anything but a short lock: it runs where traffic is observed. Past
	// its bound the outbox makes room, deltas first, then the oldest batches, and
	// counts what went.
	Append(Entry)
	// Lose counts records that never became part of a batch.
	Lose(Tally, Fate)
	// Keep notes a batch that is going to be appended later, and perhaps changed
	// before, in place of an earlier one under the same key. It is not sent and in
	// no books. An outbox that outlives the process appends it at the next start
	// unless it is forgotten by then.
	Keep(key uint64, e Entry)
	// Forget ends what Keep began. What was kept is forgotten no earlier than all
	// that was appended before the call is as safe.
	Forget(keys []uint64)
	// Ready receives after an Append that may have found the sender idle.
	Ready() <-chan struct{}
	// Next claims the oldest entry with an ID above after, if there is one.
	Next(after uint64) (Entry, bool)
	// Done ends a claim. left is what remains to be sent of the entry, under the
	// same ID and in the same place; without records the entry is removed.
	// settled tells what became of the rest.
	Done(left Entry, settled Settled)
	// Last returns the highest ID given so far.
	Last() uint64
	// Size returns the number of records held and the bytes of their payloads.
	Size() (records, bytes int)
	// Ledger returns the books since ever and those since the process began. What
	// an earlier process left counts in both as observed.
	Ledger() (ever, process Ledger)
	// Sync returns once all that was appended and kept is as safe as the outbox can make
	// it, or tells why it is not.
	Sync(context.Context) error
	// Close ends the outbox and returns the number of records that are lost with
	// it: all that are left for one in memory, none for one on disk.
	Close() (lost int)
}
