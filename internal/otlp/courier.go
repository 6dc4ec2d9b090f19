package otlp

import (
	"context"
	"math/bits"
	"slices"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// maxFruitless is how many splits in a row may find nothing that the collector
// takes, for each kind of refusal, before the batches that follow get less than
// all it takes to find every bad record in them. One that refuses what it was sent
// as invalid may still take the next batch in parts.
const maxFruitless = 64

// courier takes entries to the collector and keeps the books of it. It is owned
// by whoever holds the turn to send.
type courier struct {
	sender  sender
	timeout time.Duration
	ledger  *ledger
	health  *health
	scrub   *scrubber

	splits   [numVerdicts]int // made since something was taken, by what was answered
	retrying bool             // the last try may succeed when repeated

	// Where to go on with the entry that must be retried: how many records its
	// first piece had. A collector that throttles would never be asked for a bad
	// record otherwise.
	paused  uint64 // its ID
	reached int    // 0 if it was not split
}

// refusedPiece is a piece of a batch that was refused, and what was said to it.
type refusedPiece struct {
	outbox.Entry
	reply reply
}

// deliver makes one attempt at an entry and returns what is left of it: no
// records when the fate of all is settled, else those to retry no sooner than
// after.
//
// A batch refused for its size, or for a record in it, is bisected: the pieces
// follow each other in order, and a single record still refused is dropped. That
// is about two requests a record, which a collector that takes nothing is not
// asked for ever: its next batches get a [share] of splits, and the pieces that
// are not split for want of it are set aside. They are dropped if nothing of the
// batch is taken, else they come next and are bisected to the end.
func (c *courier) deliver(
	ctx context.Context, e outbox.Entry,
) (left outbox.Entry, settled outbox.Settled, after time.Duration) {
	settled = outbox.Settled{}
	pieces := []outbox.Entry{e} // the next one last
	var aside []refusedPiece    // before all of them, oldest first
	before := c.splits
	if c.reached > 0 && c.paused == e.ID {
		pieces = splitTo(e, c.reached)
	}
	c.reached = 0
	for len(pieces) > 0 {
		last := len(pieces) - 1
		piece := pieces[last]
		pieces = pieces[:last]
		r := c.try(ctx, piece)
		switch {
		case r.verdict == verdictAccepted:
			c.settle(settled, piece, r)
			c.splits, before = [numVerdicts]int{}, [numVerdicts]int{}
			pieces, aside = resumed(pieces, aside), nil
		case r.verdict == verdictRetry:
			c.splits = [numVerdicts]int{}
			if piece.Records < e.Records {
				c.paused, c.reached = e.ID, piece.Records
			}
			return joined(resumed(append(pieces, piece), aside)), settled, r.after
		case r.verdict == verdictRefused || piece.Records <= 1:
			c.drop(settled, piece, r)
		case c.splits[r.verdict]-before[r.verdict] < share(before[r.verdict], e.Records):
			c.splits[r.verdict]++
			first, rest := piece.Split()
			if first.Records+rest.Records != piece.Records {
				// It cannot be read to its end, or was counted wrongly.
				settled.Add(outbox.Damaged, piece.Counts)
				continue
			}
			pieces = append(pieces, rest, first)
		default:
			aside = append(aside, refusedPiece{piece, r})
		}
	}
	for _, a := range aside {
		c.drop(settled, a.Entry, a.reply)
	}
	return outbox.Entry{ID: e.ID}, settled, 0
}

// splitTo returns the pieces of an entry of which the first has so many records at
// most, and each other one about as many as all before it; the first one last.
func splitTo(e outbox.Entry, records int) []outbox.Entry {
	pieces := []outbox.Entry{e}
	for {
		last := len(pieces) - 1
		piece := pieces[last]
		if piece.Records <= max(1, records) {
			return pieces
		}
		first, rest := piece.Split()
		if first.Records+rest.Records != piece.Records {
			return pieces // which is found out when it is tried
		}
		pieces = append(pieces[:last], rest, first)
	}
}

// share is how many splits a batch may cost after so many fruitless ones: as many
// as it has records, or as it takes to find one bad record among them.
func share(fruitless, records int) int {
	if fruitless < maxFruitless {
		return records
	}
	return bits.Len(uint(max(0, records)))
}

// resumed puts what was set aside in front of the pieces that follow it.
func resumed(pieces []outbox.Entry, aside []refusedPiece) []outbox.Entry {
	for _, a := range slices.Backward(aside) {
		pieces = append(pieces, a.Entry)
	}
	return pieces
}

// try sends a piece once and counts what comes of it.
func (c *courier) try(ctx context.Context, piece outbox.Entry) reply {
	if c.retrying {
		c.ledger.retried()
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r := c.sender.send(limited, piece.Payload)
	c.retrying = r.verdict == verdictRetry
	switch {
	case r.verdict == verdictAccepted:
		c.ledger.accepted()
		c.health.works()
		if r.rejected != 0 || r.detail != "" {
			c.health.rejects(r.rejected, c.scrub.clean(r.detail))
		}
	case r.verdict == verdictRetry && ctx.Err() != nil:
		// This side gave up, which says nothing of the collector.
	default:
		text := c.scrub.clean(r.text())
		c.ledger.failed(text)
		if r.verdict == verdictRetry {
			c.health.fails(r.cause, text, true)
		}
	}
	return r
}

// settle notes what became of a piece the collector took. What it says it
// rejected is trusted only as far as the piece goes, and as it does not say which
// records, every event name bears its share.
func (*courier) settle(settled outbox.Settled, piece outbox.Entry, r reply) {
	rejected := piece.Counts.Share(r.rejected)
	settled.Add(outbox.PartialSuccess, rejected)
	settled.Add(outbox.Delivered, piece.Counts.Minus(rejected))
}

// drop gives up a piece that will never be taken.
func (c *courier) drop(settled outbox.Settled, piece outbox.Entry, r reply) {
	why := outbox.Refused
	if r.verdict == verdictTooLarge {
		why = outbox.TooLarge
	}
	settled.Add(why, piece.Counts)
	c.health.fails(r.cause, c.scrub.clean(r.text()), false)
}

// joined makes one entry of pieces, of which the first is last.
func joined(pieces []outbox.Entry) outbox.Entry {
	whole := pieces[len(pieces)-1]
	for i := len(pieces) - 2; i >= 0; i-- {
		whole = whole.Join(pieces[i])
	}
	return whole
}
