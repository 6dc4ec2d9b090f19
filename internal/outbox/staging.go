package outbox

import "slices"

// What follows makes a Memory the front of a store: entries wait in it until
// they are written, and stay while nothing can be written.

// Hold returns the oldest entries, one at least and no more than so many bytes of
// them, which neither change nor go before Release. ever are the books as if there
// were no others; more tells whether there are. A hold that was not released is
// renewed.
func (o *Memory) Hold(maxBytes int) (entries []Entry, ever Ledger, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	ever = o.earlier.Plus(o.book)
	o.held = 0
	for i, e := range o.entries {
		maxBytes -= len(e.Payload)
		if i == 0 || o.held == i && maxBytes >= 0 {
			o.held++
			continue
		}
		for name, n := range e.Counts {
			ever.Observe(Tally{name: -n})
		}
	}
	return slices.Clone(o.entries[:o.held]), ever, o.held < len(o.entries)
}

// Release ends a hold. Entries that were written leave the memory without a
// fate. claimed is the ID of the one among them that is being sent, if any: its
// Done is the store's to handle from now on.
func (o *Memory) Release(written bool) (claimed uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	held := o.held
	o.held = 0
	if !written {
		return 0
	}
	for _, e := range o.entries[:held] {
		o.records -= e.Records
		o.bytes -= len(e.Payload)
		if e.ID == o.claimed {
			claimed, o.claimed = e.ID, 0
		}
	}
	o.entries = slices.Delete(o.entries, 0, held)
	return claimed
}

// Restore puts an entry that left by Release, and is being sent, back in front.
func (o *Memory) Restore(e Entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.records += e.Records
	o.bytes += len(e.Payload)
	o.entries = slices.Insert(o.entries, 0, e)
	o.claimed = e.ID
}

// Settle notes the fate of records that are not in memory.
func (o *Memory) Settle(settled Settled) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for fate, t := range settled {
		o.book.Settle(t, fate)
	}
}

// Inherit takes over the books of earlier processes and what they left
// undelivered, which the store keeps.
func (o *Memory) Inherit(ever Ledger, left Tally) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.earlier = o.earlier.Plus(ever)
	for name, n := range left {
		account := o.earlier[name]
		account.Observed -= int64(n)
		o.earlier[name] = account
	}
	// The accounts of the earlier books are open in those of the process too, so
	// that a name is booked under the same one for ever.
	for name := range ever {
		if _, open := o.book[name]; !open {
			o.book[name] = Account{}
		}
	}
	o.book.Observe(left)
}

// Forsake notes the fate of all records that wait elsewhere, since what they
// were in is lost.
func (o *Memory) Forsake(fate Fate) {
	o.mu.Lock()
	defer o.mu.Unlock()
	elsewhere := o.book.Queued()
	for _, e := range o.entries {
		elsewhere = elsewhere.Minus(e.Counts)
	}
	o.book.Settle(elsewhere, fate)
}

// Advance makes IDs from now on be above id. It returns the lowest ID in memory,
// 0 for none.
func (o *Memory) Advance(id uint64) (first uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = max(o.last, id)
	if len(o.entries) == 0 {
		return 0
	}
	return o.entries[0].ID
}
