package otlp

// Outbox keeps sealed batches, oldest first, until the collector has them. It
// is the seam between those who record and the one who sends: [NewMemoryOutbox]
// forgets at exit, a store on disk does not.
//
// Append may be called by any goroutine, the other methods by one at a time.
// Next and Done make a claim: an entry that Next returned is neither changed nor
// dropped before Done.
type Outbox interface {
	// Append takes a batch and gives it an ID above all earlier ones. It must not
	// block on anything but a short lock: it runs where traffic is observed. Past
	// its bound the outbox makes room, deltas first, then the oldest batches, and
	// returns the number of records that went.
	Append(Entry) (dropped int)
	// Ready receives after an Append that may have found the sender idle.
	Ready() <-chan struct{}
	// Next claims the oldest entry with an ID above after, if there is one.
	Next(after uint64) (Entry, bool)
	// Done ends a claim. left is what remains to be sent of the entry, under the
	// same ID and in the same place; without records the entry is removed.
	Done(left Entry)
	// Last returns the highest ID given so far.
	Last() uint64
	// Size returns the number of records held and the bytes of their payloads.
	// What is held at the start, by an outbox that outlived a process, is counted
	// as recorded.
	Size() (records, bytes int)
	// Close ends the outbox and returns the number of records that are lost with
	// it: all that are left for one in memory, none for one on disk.
	Close() (lost int)
}
