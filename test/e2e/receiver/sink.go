package receiver

import (
	"context"
	"fmt"
	"net/textproto"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
)

var _ consumer.Logs = (*Sink)(nil)

// Sink keeps what a [Receiver] takes, and can be told to refuse. Its methods may be called at any time from any goroutine.
type Sink struct {
	mu      sync.Mutex
	batches []Batch
	records []Record
	refused int
	failure Failure
	left    int           // how many more batches fail; negative: all
	changed chan struct{} // closed and replaced whenever any of the above changes
}

// Batch is one export request that was taken.
type Batch struct {
	Headers map[string][]string // HTTP headers or gRPC metadata, by canonical MIME header name
	Records []Record
}

// Header returns the first value of the header or metadata name, in any case, or "".
func (b Batch) Header(name string) string {
	if values := b.Headers[textproto.CanonicalMIMEHeaderKey(name)]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// NewSink returns an empty sink that takes everything.
func NewSink() *Sink { return &Sink{changed: make(chan struct{})} }

// Capabilities tells the Collector that the sink leaves batches as they are.
func (*Sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs takes or refuses a batch. The Collector calls it, once for every export request.
func (s *Sink) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	batch := Batch{Records: flatten(logs), Headers: map[string][]string{}}
	metadata := client.FromContext(ctx).Metadata
	for key := range metadata.Keys() {
		batch.Headers[textproto.CanonicalMIMEHeaderKey(key)] = metadata.Get(key)
	}

	s.mu.Lock()
	failure := s.failure
	if failure == None {
		s.batches = append(s.batches, batch)
		s.records = append(s.records, batch.Records...)
	} else {
		s.refused++
		if s.left > 0 {
			if s.left--; s.left == 0 && failure != Hang {
				s.failure = None
			}
		}
	}
	s.change()
	s.mu.Unlock()

	if failure == Hang {
		if err := s.until(ctx, func() bool { return s.failure != Hang }); err != nil {
			return err
		}
	}
	return failure.err()
}

// Fail makes the sink refuse every batch from now on with failure, or take them again with [None]. Whoever hangs is
// released with a temporary failure when failure is not [Hang].
func (s *Sink) Fail(failure Failure) { s.fail(failure, -1) }

// FailNext makes the sink refuse the next n batches with failure, and take those after them. It does not do for [Hang],
// which lasts until it is ended.
func (s *Sink) FailNext(failure Failure, n int) {
	if n > 0 {
		s.fail(failure, n)
	}
}

func (s *Sink) fail(failure Failure, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure, s.left = failure, n
	s.change()
}

// Records returns every record taken so far, in the order of arrival.
func (s *Sink) Records() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.records)
}

// Batches returns every batch taken so far, in the order of arrival.
func (s *Sink) Batches() []Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.batches)
}

// Refused counts the batches that were refused, those that hang included.
func (s *Sink) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// Wait returns all records once there are n of them, or an error that says how many there are when ctx ends before.
func (s *Sink) Wait(ctx context.Context, n int) ([]Record, error) {
	return s.WaitFor(ctx, func(records []Record) bool { return len(records) >= n })
}

// WaitFor returns all records once enough reports true for them, or an error that says how many there are when ctx ends
// before. The function is called after every batch, must not keep its argument, and must not call the sink.
func (s *Sink) WaitFor(ctx context.Context, enough func([]Record) bool) ([]Record, error) {
	if err := s.until(ctx, func() bool { return enough(s.records) }); err != nil {
		records := s.Records()
		return records, fmt.Errorf("wait for records: %d so far: %w", len(records), err)
	}
	return s.Records(), nil
}

// WaitRefused returns once n batches were refused, those that hang included, or an error when ctx ends before.
func (s *Sink) WaitRefused(ctx context.Context, n int) error {
	if err := s.until(ctx, func() bool { return s.refused >= n }); err != nil {
		return fmt.Errorf("wait for %d refused batches: %d so far: %w", n, s.Refused(), err)
	}
	return nil
}

// until returns nil once condition, evaluated under the lock, holds.
func (s *Sink) until(ctx context.Context, condition func() bool) error {
	for {
		s.mu.Lock()
		holds, changed := condition(), s.changed
		s.mu.Unlock()
		if holds {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// change wakes whoever waits. The lock is held.
func (s *Sink) change() {
	close(s.changed)
	s.changed = make(chan struct{})
}
