package otlp

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/codex-proxy/codex-proxy/events"
)

// scripted is a sender without a network, for tests about time.
type scripted struct {
	mu      sync.Mutex
	replies []reply // the last one repeats
	tries   []time.Time
	sizes   []int
	closed  bool
}

func (s *scripted) send(_ context.Context, payload []byte) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.replies[min(len(s.tries), len(s.replies)-1)]
	s.tries = append(s.tries, time.Now())
	s.sizes = append(s.sizes, len(payload))
	return r
}

// history returns when tries were made and how many bytes they had.
func (s *scripted) history() ([]time.Time, []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tries), slices.Clone(s.sizes)
}

func (s *scripted) count() int {
	tries, _ := s.history()
	return len(tries)
}

func (s *scripted) close() error {
	s.closed = true
	return nil
}

func openScripted(cfg Config, s sender) *Exporter {
	return newExporter(cfg.withDefaults(), s, &scrubber{}, "collector.example")
}

func TestRunBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := reply{verdict: verdictRetry, cause: "http 503"}
		s := &scripted{replies: []reply{down, down, down, down, down, down, down, down, down, {}}}
		x := openScripted(Config{}, s)
		done := make(chan error)
		go func() { done <- x.Run(t.Context()) }()
		x.Record(delta())
		for x.Stats().Delivered == 0 {
			<-time.After(time.Second)
		}
		tries, _ := s.history()
		for i := 1; i < len(tries); i++ {
			ceiling := min(firstBackoff<<(i-1), maxBackoff)
			if wait := tries[i].Sub(tries[i-1]); wait < ceiling/2 || wait > ceiling {
				t.Errorf("wait before try %d = %v; want %v to %v", i, wait, ceiling/2, ceiling)
			}
		}
		if got := x.Stats(); got.FailedTries != 9 || got.Retries != 9 || got.Batches != 1 {
			t.Errorf("Stats() = %+v; want 9 failed tries, 9 retries, 1 batch", got)
		}
		x.Close()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v; want nil after Close", err)
		}
	})
}

func TestRunHonorsRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{replies: []reply{{verdict: verdictRetry, after: 7 * time.Minute}, {}}}
		x := openScripted(Config{}, s)
		go x.Run(t.Context())
		defer x.Close()
		x.Record(delta())
		<-time.After(8 * time.Minute)
		if tries, _ := s.history(); len(tries) != 2 || tries[1].Sub(tries[0]) != 7*time.Minute {
			t.Errorf("tries at %v; want two, 7 minutes apart", tries)
		}
	})
}

func TestRunResetsBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := reply{verdict: verdictRetry}
		s := &scripted{replies: []reply{down, down, down, down, down, {}, down, {}}}
		x := openScripted(Config{}, s)
		go x.Run(t.Context())
		defer x.Close()
		x.Record(delta())
		<-time.After(5 * time.Minute)
		x.Record(delta())
		<-time.After(5 * time.Minute)
		tries, _ := s.history()
		if wait := tries[7].Sub(tries[6]); wait > firstBackoff {
			t.Errorf("wait after a success = %v; want at most %v", wait, firstBackoff)
		}
	})
}

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

func TestBatchIsSealedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{replies: []reply{{}}}
		x := openScripted(Config{}, s)
		go x.Run(t.Context())
		defer x.Close()
		start := time.Now()
		for range 3 {
			x.Record(delta())
			<-time.After(60 * time.Millisecond)
		}
		<-time.After(time.Second)
		if tries, _ := s.history(); len(tries) != 1 || tries[0].Sub(start) != 200*time.Millisecond {
			t.Errorf("tries at %v; want one, 200 ms after the first record", tries)
		}
		x.Record(delta())
		<-time.After(time.Second)
		if tries, _ := s.history(); len(tries) != 2 {
			t.Errorf("%d tries; want 2: the timer does not start again", len(tries))
		}
	})
}

func TestBatchIsSealedWhenFull(t *testing.T) {
	s := &scripted{replies: []reply{{}}}
	x := openScripted(Config{Batch: BatchLimits{MaxRecords: 10}}, s)
	defer x.Close()
	for range 25 {
		x.Record(delta())
	}
	if err := x.Flush(t.Context()); err != nil {
		t.Errorf("Flush() = %v", err)
	}
	if s.count() != 3 {
		t.Errorf("%d requests for 25 records; want 3", s.count())
	}
}

func TestBatchIsBoundedInBytes(t *testing.T) {
	s := &scripted{replies: []reply{{}}}
	x := openScripted(Config{Batch: BatchLimits{MaxBytes: 20_000}}, s)
	defer x.Close()
	for _, size := range []int{5000, 5000, 5000, 5000, 100, 50_000, 100, 19_000, 900} {
		x.Record(prompt(strings.Repeat("x", size)))
	}
	if err := x.Flush(t.Context()); err != nil {
		t.Errorf("Flush() = %v", err)
	}
	_, sizes := s.history()
	alone := 0
	for _, size := range sizes {
		if size > 50_000 {
			alone++
		} else if size > 20_000 {
			t.Errorf("request of %d bytes; want at most 20000", size)
		}
	}
	if s := x.Stats(); alone != 1 || s.Delivered != 9 {
		t.Errorf("%d requests with a large record, Stats() = %+v; want 1, and 9 delivered", alone, s)
	}
}

func TestRunRetriesRefusedConnection(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			address := listener.Addr().String()
			listener.Close()
			book := newLogbook()
			x := open(t, Config{Protocol: protocol, Endpoint: "http://" + address + "/v1/logs", Logger: book.logger()})
			run(t, x)
			x.Record(prompt("hello"))
			book.await(t, "otlp export fails")
			c := startCollector(t, protocol, false, address, nil)
			if got := prompts(c.await(t, 1)); len(got) != 1 || got[0] != "hello" {
				t.Errorf("prompts = %q; want hello", got)
			}
			book.await(t, "otlp export recovered")
			if s := x.Stats(); s.FailedTries == 0 || s.Dropped.Total() != 0 {
				t.Errorf("Stats() = %+v; want failed tries and nothing dropped", s)
			}
		})
	}
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

func TestRunRetriesHang(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			var tries atomic.Int64
			c := startCollector(t, protocol, false, "", func(received) answer {
				return answer{hang: tries.Add(1) == 1}
			})
			cfg := c.config()
			cfg.Timeout = 100 * time.Millisecond
			x := open(t, cfg)
			run(t, x)
			x.Record(prompt("hello"))
			c.await(t, 1)
			if err := x.Flush(t.Context()); err != nil {
				t.Errorf("Flush() = %v", err)
			}
			if s := x.Stats(); s.FailedTries != 1 || s.Retries != 1 || s.Delivered != 1 {
				t.Errorf("Stats() = %+v; want one failed try, one retry, one record delivered", s)
			}
		})
	}
}

func TestResetConnectionIsRetried(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}()
	for _, protocol := range protocols {
		x := open(t, Config{Protocol: protocol, Endpoint: "http://" + listener.Addr().String(), Timeout: 2 * time.Second})
		x.Record(delta())
		if err := x.Flush(t.Context()); err == nil {
			t.Errorf("%s: Flush() = nil; want an error", protocol)
		}
		if s := x.Stats(); s.Queued != 1 || s.FailedTries != 1 {
			t.Errorf("%s: Stats() = %+v; want the record queued after one failed try", protocol, s)
		}
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

// TestFlushTriesEveryBatch shows that one refused batch does not keep the rest.
func TestFlushTriesEveryBatch(t *testing.T) {
	c := startCollector(t, ProtocolHTTPBinary, false, "", func(r received) answer {
		if prompts(r.records())[0] == "one" {
			return answer{code: http.StatusServiceUnavailable}
		}
		return answer{}
	})
	cfg := c.config()
	cfg.Batch.MaxRecords = 1
	x := open(t, cfg)
	for _, text := range []string{"one", "two", "three"} {
		x.Record(prompt(text))
	}
	if err := x.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "1 queued") || !strings.Contains(err.Error(), "503") {
		t.Errorf("Flush() = %v; want 1 record queued because of 503", err)
	}
	if s := x.Stats(); s.Delivered != 2 || s.FailedTries != 1 {
		t.Errorf("Stats() = %+v; want 2 delivered and one try each", s)
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

func TestFailuresAreLoggedOnce(t *testing.T) {
	book := newLogbook()
	var tries atomic.Int64
	c := startCollector(t, ProtocolGRPC, false, "", func(received) answer {
		switch n := tries.Add(1); {
		case n <= 5:
			return answer{status: status.New(codes.Unavailable, "restarting")}
		case n <= 10:
			return answer{status: status.New(codes.Aborted, "busy")}
		}
		return answer{}
	})
	cfg := c.config()
	cfg.Logger = book.logger()
	x := open(t, cfg)
	x.Record(delta())
	for range 11 {
		_ = x.Flush(t.Context())
	}
	if got := book.count("otlp export fails"); got != 2 {
		t.Errorf("%d lines tell of failures; want one for each cause:\n%s", got, book)
	}
	if book.count("failed_tries=10") != 1 || book.count("recovered") != 1 {
		t.Errorf("log = %s; want one recovery after 10 tries", book)
	}
}

func TestHealthDoesNotFlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := newLogbook()
		h := newHealth(book.logger(), ProtocolGRPC, "collector.example")
		for range 600 {
			h.fails("http 503", "http 503", true)
			h.works()
			<-time.After(time.Second)
		}
		if got := book.count("otlp export fails"); got != 10 {
			t.Errorf("%d lines in 10 minutes; want 10", got)
		}
		book = newLogbook()
		h = newHealth(book.logger(), ProtocolGRPC, "collector.example")
		for range 600 {
			h.fails("http 503", "http 503", true)
			<-time.After(time.Second)
		}
		if got := book.count("otlp export fails"); got != 1 {
			t.Errorf("%d lines in one outage; want 1", got)
		}
	})
}

func TestExporterConcurrentSafe(t *testing.T) {
	c := startCollector(t, ProtocolHTTPBinary, false, "", nil)
	cfg := c.config()
	cfg.Batch.MaxRecords = 50
	x := open(t, cfg)
	run(t, x)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 500 {
				r := delta()
				if j%10 == 0 {
					r.Scope.Resource = &events.Resource{ServiceName: "codex-cli", ServiceVersion: string(rune('a' + i))}
				}
				x.Record(r)
				if j%100 == 0 {
					_ = x.Flush(t.Context())
				}
				if s := x.Stats(); s.Queued < 0 {
					t.Errorf("Stats() = %+v; out of balance", s)
				}
			}
		})
	}
	wg.Wait()
	if err := x.Flush(t.Context()); err != nil {
		t.Errorf("Flush() = %v", err)
	}
	if got := len(c.await(t, 4000)); got != 4000 {
		t.Errorf("collector took %d records; want 4000", got)
	}
	if s := x.Stats(); s.Recorded != 4000 || s.Delivered != 4000 {
		t.Errorf("Stats() = %+v; want 4000 delivered", s)
	}
}
