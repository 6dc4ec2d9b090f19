package ssetap

import (
	"context"
	"errors"
	"io"
	"time"
)

// EndedBy tells who ended a body.
type EndedBy uint8

const (
	// EndedByCompleted is a body that was complete, whoever hung up after that.
	EndedByCompleted EndedBy = iota
	// EndedByUpstream is a body that the upstream ended early, with an error or by closing it.
	EndedByUpstream
	// EndedByClient is a body that the reader wanted no more of.
	EndedByClient
	// EndedByIdle is a body in which nothing came for too long, whether a deadline passed or the reader gave up.
	EndedByIdle
)

// String returns "completed", "upstream", "client" or "idle".
func (e EndedBy) String() string {
	switch e {
	case EndedByCompleted:
		return "completed"
	case EndedByUpstream:
		return "upstream"
	case EndedByClient:
		return "client"
	case EndedByIdle:
		return "idle"
	default:
		return "unknown"
	}
}

// End says how a body ended and what had come until then.
type End struct {
	// By is who ended it.
	By EndedBy
	// Err is the read error that ended it. It is nil at a clean end, and when the reader just closed the body.
	Err error
	// EOF reports that the upstream closed the body cleanly.
	EOF bool
	// Bytes is how many bytes of the body Read returned, whatever they decode to.
	Bytes int64
	// Events is how many events came, those included that a Sink did not get because it had panicked.
	Events int64
	// Unfinished reports that the body ended within an event.
	Unfinished bool
	// Truncated is how many events were not delivered whole, see [Event.Truncated].
	Truncated int64
	// At is when Close was called.
	At time.Time
	// LastAt is when the last event came, or the tap was made if there was none.
	LastAt time.Time
	// Panics is how many panics of the Sink and the Decoding were contained before End.
	Panics int64
}

// setError notes the outcome of the last read. An error that wraps io.EOF is not a clean end, nor do copy loops take it
// for one.
func (e *End) setError(err error) {
	e.EOF = err == io.EOF //nolint:errorlint // identity is meant
	if !e.EOF {
		e.Err = err
	}
}

// setBy decides who ended the body, when everything else is known.
func (e *End) setBy(complete bool, idleAfter time.Duration) {
	switch {
	case complete:
		e.By = EndedByCompleted
	case e.EOF:
		e.By = EndedByUpstream
	case e.Err == nil, errors.Is(e.Err, context.Canceled):
		// A reader that waited in vain and one that lost interest both just hang up. Time tells them apart.
		e.By = EndedByClient
		if e.At.Sub(e.LastAt) >= idleAfter {
			e.By = EndedByIdle
		}
	case isTimeout(e.Err):
		e.By = EndedByIdle
	default:
		e.By = EndedByUpstream
	}
}

// isTimeout reports whether err is a deadline that passed: os.ErrDeadlineExceeded, context.DeadlineExceeded or any
// error that says so in the manner of net.Error.
func isTimeout(err error) bool {
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && timeout.Timeout()
}
