package otlp

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	var b backoff
	longest := map[time.Duration]bool{}
	for i := range 40 {
		ceiling := 30 * time.Second
		if i < 6 {
			ceiling = 500 * time.Millisecond << i
		}
		got := b.next(0)
		if got < ceiling/2 || got > ceiling {
			t.Errorf("wait %d = %v; want %v to %v", i, got, ceiling/2, ceiling)
		}
		if i >= 6 {
			longest[got] = true
		}
	}
	if len(longest) < 2 {
		t.Errorf("34 waits in a row are %v; want a random part", longest)
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
