package otlp

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	var b backoff
	for i := range 40 {
		ceiling := 30 * time.Second
		if i < 6 {
			ceiling = 500 * time.Millisecond << i
		}
		if got := b.next(0); got < ceiling/2 || got > ceiling {
			t.Errorf("wait %d = %v; want %v to %v", i, got, ceiling/2, ceiling)
		}
	}
	if got := b.next(5 * time.Minute); got != 5*time.Minute {
		t.Errorf("next(5m) = %v; want what was asked", got)
	}
	if got := b.next(24 * time.Hour); got != maxRetryAfter {
		t.Errorf("next(24h) = %v; want %v", got, maxRetryAfter)
	}
	b.reset()
	if got := b.next(0); got > firstBackoff {
		t.Errorf("wait after reset = %v; want at most %v", got, firstBackoff)
	}
}
