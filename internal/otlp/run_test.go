package otlp

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

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

func TestRunRetriesRefusedConnection(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			address := unusedAddress(t)
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

// unusedAddress returns an address that nobody listens on until the test does.
// Where all of 127.0.0.0/8 is loopback it is one that nobody else is given.
func unusedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.41.17.3:0")
	if err != nil {
		listener, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
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
