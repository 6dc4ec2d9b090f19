package otlp

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// brittle is a sender that panics at the first try.
type brittle struct{ scripted }

func (b *brittle) send(ctx context.Context, payload []byte) reply {
	if r := b.scripted.send(ctx, payload); b.count() > 1 {
		return r
	}
	panic("sender")
}

// runContained is Run under a supervisor that reports whether it panicked.
func runContained(ctx context.Context, x *Exporter) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	_ = x.Run(ctx) // It returns nil.
	return false
}

// TestRunGoesOnAfterAPanic starts Run again after a panic while it sent, and wants the batch delivered.
func TestRunGoesOnAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := openScripted(Config{}, &brittle{scripted{replies: []reply{{}}}})
		x.Record(delta())
		if !runContained(t.Context(), x) {
			t.Fatal("Run() returned; want the panic of its sender")
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan bool)
		go func() { ended <- runContained(ctx, x) }()
		synctest.Wait()
		if got := x.Stats().Delivered; got != 1 {
			t.Errorf("delivered = %d; want the batch of before the panic", got)
		}
		cancel()
		<-ended
		x.Close()
	})
}

// brittleOutbox panics when it gets its first batch.
type brittleOutbox struct {
	outbox.Outbox
	panicked bool
}

func (o *brittleOutbox) Append(e outbox.Entry) {
	if !o.panicked {
		o.panicked = true
		panic("outbox")
	}
	o.Outbox.Append(e)
}

// TestPanicOfTheTimerIsContained has the outbox panic on the goroutine of the timer that seals, which would end the process.
func TestPanicOfTheTimerIsContained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{}.withDefaults()
		cfg.Outbox = &brittleOutbox{Outbox: outbox.NewMemory(outbox.Limits{MaxRecords: 10, MaxBytes: 1 << 20}, outbox.Limits{})}
		x := newExporter(cfg, &scripted{replies: []reply{{}}}, &scrubber{}, "collector.example")
		x.Record(delta())
		<-time.After(2 * cfg.Batch.MaxDelay)
		synctest.Wait()
		if got := x.Stats().Panics; got != 1 {
			t.Errorf("panics = %d; want 1", got)
		}
		x.Close()
	})
}
