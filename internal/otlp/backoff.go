package otlp

import (
	"math/rand/v2"
	"time"
)

const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
	// maxRetryAfter bounds what a collector may ask for: a mistake in its answer
	// must not end the export for good.
	maxRetryAfter = time.Hour
)

// backoff tells how long to wait after failures in a row. The zero backoff has
// seen none.
type backoff struct {
	failures int
}

// next returns the wait after one more failure: it doubles up to maxBackoff,
// less a random part of up to a half so that many proxies do not come back at
// once. It is never shorter than what the collector asked for.
func (b *backoff) next(asked time.Duration) time.Duration {
	ceiling := maxBackoff
	if b.failures < 6 {
		ceiling = min(maxBackoff, firstBackoff<<b.failures)
	}
	b.failures++
	wait := ceiling/2 + rand.N(ceiling/2+1) //nolint:gosec // Jitter needs no secrecy.
	return max(wait, min(asked, maxRetryAfter))
}

func (b *backoff) reset() { b.failures = 0 }
