package otlp

import (
	"context"
	"time"
)

// Run sends what is recorded until ctx ends or Close is called, and then returns
// nil. A collector that does not answer is tried again for as long. It must be
// called once.
func (x *Exporter) Run(ctx context.Context) error {
	ctx, cancel := x.untilClosed(ctx)
	defer cancel()
	if x.isLocal() {
		<-ctx.Done()
		return nil
	}
	for {
		if !x.take(ctx) {
			return nil
		}
		wait, found := x.step(ctx)
		if found && wait == 0 {
			continue
		}
		if !x.pause(ctx, wait) {
			return nil
		}
	}
}

// step attempts the oldest entry, if there is one, and returns how long to wait
// before the next try; 0 when the entry is settled. It gives the turn back, after
// a panic too: whoever starts Run again waits for it.
func (x *Exporter) step(ctx context.Context) (wait time.Duration, found bool) {
	defer x.release()
	if full := x.Stats().Dropped.QueueFull; full != x.full {
		x.full = full
		x.health.overflows(full)
	}
	e, found := x.outbox.Next(0)
	if !found {
		return 0, false
	}
	left, settled, after := x.courier.deliver(ctx, e)
	x.outbox.Done(left, settled)
	if left.Records == 0 {
		x.backoff.reset()
		return 0, true
	}
	return x.backoff.next(after), true
}

// pause waits for the next try, or for something to send when wait is 0. It
// reports whether ctx goes on.
func (x *Exporter) pause(ctx context.Context, wait time.Duration) bool {
	ready := x.outbox.Ready()
	var due <-chan time.Time
	if wait > 0 {
		ready = nil
		timer := time.NewTimer(wait)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-ready:
	case <-due:
	case <-x.wake:
	}
	return true
}
