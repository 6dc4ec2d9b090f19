package otlp

import (
	"context"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// maxSplits bounds the extra requests that bisecting costs between two
// successes, for each kind of refusal: one that refused what it was sent as
// invalid may still take the next batch in parts. It finds thirty bad records in
// a row, and a collector that refuses everything soon costs one request a batch.
const maxSplits = 64

// courier takes entries to the collector and keeps the books of it. It is owned
// by whoever holds the turn to send.
type courier struct {
	sender  sender
	timeout time.Duration
	ledger  *ledger
	health  *health
	scrub   *scrubber

	splits   [numVerdicts]int // made since the last success, by what was answered
	retrying bool             // the last try may succeed when repeated
}

// deliver makes one attempt at an entry and returns what is left of it: no
// records when the fate of all is settled, else those to retry no sooner than
// after.
//
// A batch refused for its size, or for a record in it, is bisected: the pieces
// follow each other in order, and a single record still refused is dropped.
func (c *courier) deliver(
	ctx context.Context, e outbox.Entry,
) (left outbox.Entry, settled outbox.Settled, after time.Duration) {
	settled = outbox.Settled{}
	pieces := []outbox.Entry{e} // the next one last
	for len(pieces) > 0 {
		last := len(pieces) - 1
		piece := pieces[last]
		r := c.try(ctx, piece)
		switch {
		case r.verdict == verdictAccepted:
			c.splits = [numVerdicts]int{}
			c.settle(settled, piece, r)
			pieces = pieces[:last]
		case r.verdict == verdictRetry:
			c.splits = [numVerdicts]int{}
			return joined(pieces), settled, r.after
		case r.verdict != verdictRefused && piece.Records > 1 && c.splits[r.verdict] < maxSplits:
			c.splits[r.verdict]++
			first, rest := piece.Split()
			if first.Records+rest.Records != piece.Records {
				// It cannot be read to its end, or was counted wrongly.
				settled.Add(outbox.Damaged, piece.Counts)
				pieces = pieces[:last]
				continue
			}
			pieces[last] = rest
			pieces = append(pieces, first)
		default:
			c.drop(settled, piece, r)
			pieces = pieces[:last]
		}
	}
	return outbox.Entry{ID: e.ID}, settled, 0
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
