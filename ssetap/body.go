package ssetap

import (
	"io"
	"time"
)

// DefaultMaxBodyBytes is how much of the beginning of a body a BodyTap keeps unless told otherwise: 1 MiB.
const DefaultMaxBodyBytes = 1 << 20

// BodyTap is the body of a response that is not a stream of events, say JSON. It reads as a [Tap] does, under the same
// contract, but collects the body and gives it to the Sink as a single [Event] at Close, just before End: Data is the
// body or, when it is longer than MaxBodyBytes, its beginning, and Tail its end. There is no event if the body is empty.
//
// A body is complete when the upstream ended it cleanly, or when the Sink says so of what it got.
type BodyTap struct {
	wire      wire
	guard     guard
	idleAfter time.Duration
	limit     int

	body   clip
	lastAt time.Time
}

// NewBodyTap returns a BodyTap that reads body and reports to sink.
func NewBodyTap(body io.ReadCloser, sink Sink, opts Options) *BodyTap {
	t := &BodyTap{
		guard:     guard{sink: sink, onPanic: opts.OnPanic},
		idleAfter: opts.idleAfter(),
		limit:     opts.MaxBodyBytes,
	}
	if t.limit <= 0 {
		t.limit = DefaultMaxBodyBytes
	}
	t.wire = wire{body: body, watch: t, now: opts.clock()}
	t.wire.decodeWith(opts.Decoding, &t.guard)
	t.lastAt = t.wire.now()
	return t
}

// Read collects the bytes of the previous Read and reads from the body.
func (t *BodyTap) Read(p []byte) (int, error) {
	return t.wire.read(p)
}

// Close collects what is left, closes the body and gives the Sink the body and its End. Further calls return the same
// error and do nothing.
func (t *BodyTap) Close() error {
	return t.wire.close()
}

func (t *BodyTap) chunk(b []byte, at time.Time) {
	t.body.write(b, t.limit)
	t.lastAt = at
}

func (t *BodyTap) end(end *End) {
	complete := end.EOF
	if t.body.size > 0 {
		e := Event{Size: t.body.size, At: t.lastAt}
		e.Data, e.Tail = t.body.ends()
		e.Truncated = e.Tail != nil
		if e.Truncated {
			end.Truncated = 1
		}
		end.Events = 1
		if t.guard.event(&e) {
			complete = true
		}
	}
	t.body.reset()
	end.Panics, end.LastAt = t.guard.panics, t.lastAt
	end.setBy(complete, t.idleAfter)
	end.Unfinished = end.By != EndedByCompleted && end.Bytes > 0
	t.guard.end(*end)
}
