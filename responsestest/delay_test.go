package responsestest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func testPlayer(ctx context.Context, resp Response) (*player, *httptest.ResponseRecorder) {
	w := httptest.NewRecorder()
	return &player{ctx: ctx, w: w, ctl: http.NewResponseController(w), resp: &resp}, w
}

func TestDelaysAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second := TextDelta("2")
		second.Delay = 10 * time.Second
		p, w := testPlayer(t.Context(), Response{
			Delay:      time.Hour,
			EventDelay: time.Minute,
			Events:     []Event{TextDelta("1"), second, Pause(time.Second)},
		})
		start := time.Now()
		if err := p.play(1); err != nil {
			t.Fatalf("play() = %v; want nil", err)
		}
		if took, want := time.Since(start), time.Hour+2*time.Minute+11*time.Second; took != want {
			t.Errorf("play took %v; want %v", took, want)
		}
		if got, want := w.Body.String(), string(SSE(TextDelta("1"), TextDelta("2"))); got != want {
			t.Errorf("body = %q; want %q", got, want)
		}
	})
}

func TestDelayEndsWithContext(t *testing.T) {
	cause := errors.New("enough")
	// Built inside the bubble: channels from outside would not let its time go on.
	for name, build := range map[string]func() Response{
		"before headers": func() Response { return Response{Delay: time.Hour} },
		"held":           func() Response { return Response{Hold: make(chan struct{})} },
		"between events": func() Response { return Response{EventDelay: time.Hour, Events: []Event{Created("r"), Completed("r")}} },
		"event held":     func() Response { return Response{Events: []Event{Wait(make(chan struct{}))}} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(cause) })
				p, _ := testPlayer(ctx, build())
				start := time.Now()
				if err := p.play(1); !errors.Is(err, cause) || time.Since(start) != time.Second {
					t.Errorf("play() = %v after %v; want %v after 1s", err, time.Since(start), cause)
				}
			})
		})
	}
}
