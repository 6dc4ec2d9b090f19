package otlp

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestFlushEndsBackoff shows that a flush neither waits for Run's next try nor
// leaves Run waiting when it finds the collector back.
func TestFlushEndsBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{replies: []reply{{verdict: verdictRetry, after: time.Hour}, {}}}
		x := openScripted(Config{}, s)
		go x.Run(t.Context())
		defer x.Close()
		x.Record(delta())
		<-time.After(time.Minute)
		start := time.Now()
		if err := x.Flush(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("Flush() = %v after %v; want nil at once", err, time.Since(start))
		}
		x.Record(delta())
		<-time.After(time.Second)
		if got := x.Stats().Delivered; got != 2 {
			t.Errorf("%d records delivered; want 2: Run still waits", got)
		}
	})
}

// TestFlushFindsCollectorBack needs no second try after an outage.
func TestFlushFindsCollectorBack(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			address := listener.Addr().String()
			listener.Close()
			x := open(t, Config{Protocol: protocol, Endpoint: "http://" + address})
			x.Record(delta())
			for range 3 {
				if err := x.Flush(t.Context()); err == nil {
					t.Fatal("Flush() = nil; want an error")
				}
			}
			c := startCollector(t, protocol, false, address, nil)
			if err := x.Flush(t.Context()); err != nil {
				t.Errorf("Flush() = %v", err)
			}
			c.await(t, 1)
		})
	}
}

func TestFlushHonorsDeadline(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			book := newLogbook()
			c := startCollector(t, protocol, false, "", func(received) answer { return answer{hang: true} })
			cfg := c.config()
			cfg.Logger = book.logger()
			x, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			run(t, x)
			for range 1000 {
				x.Record(delta())
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			start := time.Now()
			if err := x.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Flush() = %v; want the deadline", err)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("Flush() took %v; want 100 ms", took)
			}
			if s := x.Stats(); s.Queued != 1000 || s.Dropped.Total() != 0 {
				t.Errorf("Stats() after Flush = %+v; want all queued", s)
			}
			if err := x.Close(); err != nil {
				t.Errorf("Close() = %v", err)
			}
			x.Record(delta())
			if s := x.Stats(); s.Dropped.Shutdown != 1001 || s.Queued != 0 {
				t.Errorf("Stats() after Close = %+v; want 1001 dropped", s)
			}
			if book.count("records undelivered") != 1 || book.count("dropped=1000") != 1 {
				t.Errorf("log = %s; want one line that tells of 1000 records", book)
			}
			if err := x.Close(); err != nil {
				t.Errorf("second Close() = %v", err)
			}
			if err := x.Run(t.Context()); err != nil {
				t.Errorf("Run() after Close = %v; want nil at once", err)
			}
		})
	}
}

// TestFlushKeepsOrder has a collector that is away for a moment: what is behind the
// batch that must be retried waits for it.
func TestFlushKeepsOrder(t *testing.T) {
	down := true
	c := startCollector(t, ProtocolHTTPBinary, false, "", func(r received) answer {
		if down && prompts(r.records())[0] == "two" {
			down = false
			return answer{code: http.StatusServiceUnavailable}
		}
		return answer{}
	})
	cfg := c.config()
	cfg.Batch.MaxRecords = 1
	x := open(t, cfg)
	want := []string{"one", "two", "three", "four"}
	for _, text := range want {
		x.Record(prompt(text))
	}
	if err := x.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "3 queued") || !strings.Contains(err.Error(), "503") {
		t.Errorf("Flush() = %v; want 3 records queued because of 503", err)
	}
	if s := x.Stats(); s.Delivered != 1 || s.FailedTries != 1 {
		t.Errorf("Stats() = %+v; want 1 delivered and 1 failed try", s)
	}
	balance(t, x)
	if err := x.Flush(t.Context()); err != nil {
		t.Errorf("second Flush() = %v", err)
	}
	if diff := cmp.Diff(want, prompts(c.await(t, len(want)))); diff != "" {
		t.Errorf("records taken (-want +got):\n%s", diff)
	}
	balance(t, x)
}

func TestFlushLeavesLaterRecords(t *testing.T) {
	s := &scripted{replies: []reply{{}}}
	x := openScripted(Config{Batch: BatchLimits{MaxRecords: 1}}, s)
	defer x.Close()
	x.Record(delta())
	if x.sweep(t.Context(), x.outbox.Last()-1) != true || s.count() != 0 {
		t.Error("sweep sent a batch sealed after the flush began")
	}
	if err := x.Flush(t.Context()); err != nil || s.count() != 1 {
		t.Errorf("Flush() = %v after %d tries; want one", err, s.count())
	}
}
