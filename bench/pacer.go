package main

import (
	"context"
	"time"
)

// pacer waits for moments that are evenly spaced.
type pacer struct {
	delay time.Duration
	due   time.Time
	timer *time.Timer
}

func newPacer(delay time.Duration) *pacer {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return &pacer{delay: delay, due: time.Now(), timer: timer}
}

// wait returns at the next moment, or with the error of ctx.
func (p *pacer) wait(ctx context.Context) error {
	if p.delay <= 0 {
		return nil
	}
	p.due = p.due.Add(p.delay)
	p.timer.Reset(time.Until(p.due))
	select {
	case <-p.timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pacer) stop() { p.timer.Stop() }

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
