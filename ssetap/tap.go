package ssetap

import (
	"io"
	"time"
)

// DefaultIdleAfter is the time without an event after which Codex gives up on a stream, its stream_idle_timeout_ms.
const DefaultIdleAfter = 300 * time.Second

// Sink receives what a tap sees. Its methods are called one at a time, by the goroutine that reads or closes the body,
// and must call neither Read nor Close of the tap. They should be quick: the next read waits for them.
//
// A Sink that panics gets no further events but still its End; the body is passed on as before.
type Sink interface {
	// Event receives each event in order; e is valid only during the call. It reports whether this was the last event
	// of a complete response. Events that come nevertheless are delivered, too.
	Event(e *Event) (terminal bool)
	// End is called exactly once, from Close, whatever the ending.
	End(end End)
}

// Options of a tap. The zero value is sensible.
type Options struct {
	// MaxEventBytes is how much data of one event is kept, 0 for DefaultMaxEventBytes. See [Decoder].
	MaxEventBytes int
	// MaxBodyBytes is how much of the beginning of a body a BodyTap keeps, 0 for DefaultMaxBodyBytes.
	MaxBodyBytes int
	// Decoding, if set, turns the bytes of the body into those that the tap looks at. It belongs to this tap alone.
	// The reader of the tap gets the bytes as they are.
	Decoding Decoding
	// IdleAfter is the time without an event after which a reader that hangs up is taken to have waited in vain,
	// 0 for DefaultIdleAfter.
	IdleAfter time.Duration
	// Now is the clock, nil for time.Now.
	Now func() time.Time
	// OnPanic is told the value of each panic of the Sink or the Decoding, if set. Like the Sink, it must not call Read or
	// Close of the tap.
	OnPanic func(v any)
}

// Tap is the body of a response that is a stream of events. It gives the bytes of the body it wraps, as they are and
// when they are there, and decodes them afterwards.
//
// Afterwards means: when the next Read or Close shows that the reader is done with the bytes of the last Read. They are
// not copied, so the buffer given to Read must stay untouched until the next Read or Close. The copy loop of
// httputil.ReverseProxy keeps to that, if its buffers come from a pool that gives each to one response at a time.
//
// When the wrapped body returns bytes together with an error, the Tap returns the bytes alone and the error at the next
// Read. Apart from that results are passed on unchanged.
//
// Close may be called at any time, also while a Read is blocked; Reads must not overlap each other.
type Tap struct {
	wire      wire
	decoder   Decoder
	guard     guard
	idleAfter time.Duration
	deliver   func(*Event) // t.onEvent, bound once

	at        time.Time // when the chunk being decoded came
	lastAt    time.Time
	events    int64
	truncated int64
	terminal  bool
}

// NewTap returns a Tap that reads body and reports to sink.
func NewTap(body io.ReadCloser, sink Sink, opts Options) *Tap {
	t := &Tap{
		decoder: Decoder{MaxEventBytes: opts.MaxEventBytes},
		guard:   guard{sink: sink, onPanic: opts.OnPanic},
	}
	t.wire = wire{body: body, watch: t, now: opts.clock()}
	t.wire.decodeWith(opts.Decoding, &t.guard)
	t.idleAfter = opts.idleAfter()
	t.lastAt = t.wire.now()
	t.deliver = t.onEvent
	return t
}

// Read shows the events of the previous Read to the Sink and reads from the body.
func (t *Tap) Read(p []byte) (int, error) {
	return t.wire.read(p)
}

// Close shows the Sink what is left, closes the body and calls the Sink's End. Further calls return the same error and
// do nothing.
func (t *Tap) Close() error {
	return t.wire.close()
}

func (t *Tap) chunk(b []byte, at time.Time) {
	t.at = at
	t.decoder.Write(b, t.deliver)
}

func (t *Tap) onEvent(e *Event) {
	e.At = t.at
	t.lastAt = t.at
	t.events++
	if e.Truncated {
		t.truncated++
	}
	if t.guard.event(e) {
		t.terminal = true
	}
}

func (t *Tap) end(end *End) {
	end.Unfinished = t.decoder.Finish()
	end.Events, end.Truncated, end.Panics = t.events, t.truncated, t.guard.panics
	end.LastAt = t.lastAt
	end.setBy(t.terminal, t.idleAfter)
	t.guard.end(*end)
}

func (o *Options) clock() func() time.Time {
	if o.Now == nil {
		return time.Now
	}
	return o.Now
}

func (o *Options) idleAfter() time.Duration {
	if o.IdleAfter <= 0 {
		return DefaultIdleAfter
	}
	return o.IdleAfter
}
