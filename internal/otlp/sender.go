package otlp

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"
)

// sender makes one try at delivering a payload. It is used by one goroutine at
// a time.
type sender interface {
	// send never fails with an error: what went wrong is a reply too.
	send(ctx context.Context, payload []byte) reply
	close() error
}

// verdict is what a reply means for the batch.
type verdict uint8

const (
	verdictAccepted verdict = iota
	verdictRetry            // may succeed later
	verdictTooLarge         // may succeed in smaller pieces
	verdictInvalid          // some record in it is not to the collector's liking
	verdictRefused          // will never succeed

	numVerdicts
)

// reply is the outcome of one try.
type reply struct {
	verdict  verdict
	rejected int64         // of an accepted batch: partial success
	after    time.Duration // the least wait before a retry, as asked
	// cause names the kind of failure, the same every time: "http 503",
	// "connection refused". It has no addresses and no words of others.
	cause string
	// detail is what the collector or the network said, not yet scrubbed.
	detail string
}

// text is the reply for people; it must be scrubbed.
func (r reply) text() string {
	if r.detail == "" || r.detail == r.cause {
		return r.cause
	}
	return r.cause + ": " + r.detail
}

// unreachable is the reply to a try that got no answer. All of these may pass:
// the collector starts, a name appears, a certificate is renewed.
func unreachable(err error) reply {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		// The URL may hold credentials.
		err = failed.Err
	}
	r := reply{verdict: verdictRetry}
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		r.cause = "timed out"
		return r
	default:
		r.cause = "connection failed"
	}
	r.detail = err.Error()
	if failed, ok := errors.AsType[*net.OpError](err); ok {
		// Local ports differ each time.
		r.cause = failed.Op + " failed"
		r.detail = failed.Err.Error()
	}
	if failed, ok := errors.AsType[*net.DNSError](err); ok {
		r.cause = "name resolution failed"
		r.detail = failed.Err
	}
	return r
}
