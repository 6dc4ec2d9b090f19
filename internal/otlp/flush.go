package otlp

import (
	"context"
	"errors"
	"fmt"
)

// Flush sends what is recorded so far without waiting out a back-off, whoever
// asked for it: one try for every batch, up to the first that must be retried and
// as far as ctx's deadline allows. What could not be sent stays queued and makes
// the error. It may be called while Run runs, and without it.
func (x *Exporter) Flush(ctx context.Context) error {
	if x.isLocal() {
		return x.flushLocal(ctx)
	}
	x.batcher.seal()
	last := x.outbox.Last()
	ctx, cancel := x.untilClosed(ctx)
	defer cancel()
	if !x.take(ctx) {
		return x.notFlushed(ctx.Err())
	}
	complete := x.sweep(ctx, last)
	works := !x.courier.retrying
	x.release()
	if works {
		select {
		case x.wake <- struct{}{}:
		default:
		}
	}
	if complete {
		return nil
	}
	return x.notFlushed(ctx.Err())
}

// notFlushed is the error for records that are still queued. Without a cause the
// collector's last answer is it.
func (x *Exporter) notFlushed(cause error) error {
	s := x.Stats()
	if s.Queued == 0 {
		return nil
	}
	if cause == nil {
		cause = errors.New(s.LastError)
	}
	return fmt.Errorf("flush %d queued records: %w", s.Queued, cause)
}

// sweep tries the entries up to the one with ID last, and ends at one that must be
// retried: what is behind it goes after it. It reports whether all of them are
// settled.
func (x *Exporter) sweep(ctx context.Context, last uint64) bool {
	for after := uint64(0); ; {
		e, ok := x.outbox.Next(after)
		if !ok {
			return true
		}
		if e.ID > last || ctx.Err() != nil {
			x.outbox.Done(e, nil)
			return e.ID > last
		}
		left, settled, _ := x.courier.deliver(ctx, e)
		x.outbox.Done(left, settled)
		if left.Records > 0 {
			return false
		}
		after = e.ID
	}
}
