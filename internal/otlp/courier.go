package otlp

import (
	"context"
	"time"
)

// maxSplits bounds the extra requests that bisecting costs between two
// successes. It finds thirty bad records in a row, and a collector that refuses
// everything soon costs one request a batch.
const maxSplits = 64

// courier takes entries to the collector and keeps the books of it. It is owned
// by whoever holds the turn to send.
type courier struct {
	sender  sender
	timeout time.Duration
	ledger  *ledger
	health  *health
	scrub   *scrubber

	splits   int  // made since the last success
	retrying bool // the last try may succeed when repeated
}

// deliver makes one attempt at an entry and returns what is left of it: no
// records when the fate of all is settled, else those to retry no sooner than
// after.
//
// A batch refused for its size, or for a record in it, is bisected: the pieces
// follow each other in order, and a single record still refused is dropped.
func (c *courier) deliver(ctx context.Context, e Entry) (left Entry, after time.Duration) {
	pieces := []Entry{e} // the next one last
	for len(pieces) > 0 {
		last := len(pieces) - 1
		piece := pieces[last]
		r := c.try(ctx, piece)
		switch {
		case r.verdict == verdictAccepted:
			c.splits = 0
			pieces = pieces[:last]
		case r.verdict == verdictRetry:
			c.splits = 0
			return joined(pieces), r.after
		case r.verdict != verdictRefused && piece.Records > 1 && c.splits < maxSplits:
			c.splits++
			first, rest := piece.split()
			pieces[last] = rest
			pieces = append(pieces, first)
		default:
			c.drop(piece, r)
			pieces = pieces[:last]
		}
	}
	return Entry{ID: e.ID}, 0
}

// try sends a piece once and counts what comes of it.
func (c *courier) try(ctx context.Context, piece Entry) reply {
	if c.retrying {
		c.ledger.retried()
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r := c.sender.send(limited, piece.Payload)
	c.retrying = r.verdict == verdictRetry
	switch {
	case r.verdict == verdictAccepted:
		c.ledger.accepted(piece.Records, r.rejected)
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

// drop gives up a piece that will never be taken.
func (c *courier) drop(piece Entry, r reply) {
	why := reasonRefused
	if r.verdict == verdictTooLarge {
		why = reasonTooLarge
	}
	c.ledger.dropped(why, piece.Records)
	c.health.fails(r.cause, c.scrub.clean(r.text()), false)
}

// joined makes one entry of pieces, of which the first is last.
func joined(pieces []Entry) Entry {
	whole := pieces[len(pieces)-1]
	for i := len(pieces) - 2; i >= 0; i-- {
		whole = whole.join(pieces[i])
	}
	return whole
}
