package chaos_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// exchanges returns how many a soak has, by CHAOS_EXCHANGES. A day has 144,000 at a hundred a minute.
func exchanges(t *testing.T) int {
	t.Helper()
	text := os.Getenv("CHAOS_EXCHANGES")
	if text == "" {
		return 2000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 100 {
		t.Fatalf("CHAOS_EXCHANGES = %q; want a number of at least 100", text)
	}
	return n
}

// usage is what a process takes.
type usage struct {
	heap       float64 // bytes that were live at the last collection
	resident   float64
	goroutines float64
	files      float64
}

// metrics reads the metrics of a proxy.
func (p *process) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	values := map[string]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(p.get(t, "/metrics"))); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			values[name] = value
		}
	}
	return values
}

// rests waits until a process has nothing to do any more and its memory was collected, and returns what it takes then. Work
// makes garbage.
func (p *process) rests(t *testing.T, work func(), goroutines, files float64) usage {
	t.Helper()
	const collections, live = "go_gc_duration_seconds_count", "go_gc_heap_live_bytes"
	before := p.metrics(t)
	if _, ok := before[live]; !ok {
		t.Fatalf("the metrics lack %s", live)
	}
	deadline := time.Now().Add(patience)
	for {
		work()
		m := p.metrics(t)
		u := usage{m[live], m["process_resident_memory_bytes"], m["go_goroutines"], m["process_open_fds"]}
		calm := goroutines == 0 || u.goroutines <= goroutines && u.files <= files
		if m[collections] >= before[collections]+2 && calm || time.Now().After(deadline) {
			return u
		}
	}
}

// soak is traffic of all kinds.
type soak struct {
	load    *load
	random  *rand.Rand
	started atomic.Int64
	failed  atomic.Int64
}

// run has n exchanges: nine of ten are read to their end, the others are left in the middle or broken off by the upstream.
func (s *soak) run(t *testing.T, base string, n int) {
	t.Helper()
	var agents sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(n))
	for range 12 {
		random := rand.New(rand.NewPCG(s.random.Uint64(), 0))
		agents.Go(func() {
			for left.Add(-1) >= 0 && t.Context().Err() == nil {
				s.one(t, base, random)
			}
		})
	}
	agents.Wait()
	s.load.client.CloseIdleConnections()
	s.load.take()
}

func (s *soak) one(t *testing.T, base string, random *rand.Rand) {
	t.Helper()
	s.started.Add(1)
	switch random.IntN(20) {
	case 0:
		s.leave(t, base)
	case 1:
		s.broken(t, base)
	case 2, 3:
		s.load.once(t.Context(), base, overSocket, askSocket)
	case 4:
		s.leaveSocket(t, base)
	default:
		s.load.once(t.Context(), base, overSSE, askStream(s.load.client))
	}
}

func (s *soak) post(ctx context.Context, t *testing.T, base, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/responses", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return nil
	}
	req.Header = agentHeader("leaver")
	res, err := s.load.client.Do(req)
	if err != nil {
		t.Error(err)
		return nil
	}
	return res
}

// leave hangs up in the middle.
func (s *soak) leave(t *testing.T, base string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if res := s.post(ctx, t, base, strings.Replace(question, "hello", "stays", 1)); res != nil {
		_, _ = io.ReadFull(res.Body, make([]byte, 10))
		cancel()
		res.Body.Close()
	}
}

// leaveSocket hangs up in the middle, over WebSocket.
func (s *soak) leaveSocket(t *testing.T, base string) {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), base+"/v1/responses", &websocket.DialOptions{HTTPHeader: agentHeader("leaver")})
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = conn.CloseNow() }()
	if conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"response.create",`+question[1:])) == nil {
		_, _, _ = conn.Read(t.Context())
	}
}

// broken asks for a stream that the upstream breaks off.
func (s *soak) broken(t *testing.T, base string) {
	t.Helper()
	if res := s.post(t.Context(), t, base, strings.Replace(question, "hello", "break", 1)); res != nil {
		if _, err := io.Copy(io.Discard, res.Body); err == nil {
			s.failed.Add(1)
		}
		res.Body.Close()
	}
}

// TestSoak has the traffic of a day, and wants memory, goroutines and open files to be what they were.
func TestSoak(t *testing.T) {
	s := &soak{random: random(t), load: newLoad(t)}
	s.load.among = 500
	never := responsestest.NewGate()
	defer never.Open()
	upstream, err := responsestest.Start(responsestest.Options{TB: t, WebSocket: responsestest.WebSocketPlain, MaxRequests: 1})
	if err != nil {
		t.Fatal(err)
	}
	events := stream()
	has := func(text string) func(*responsestest.Request) bool {
		return func(r *responsestest.Request) bool { return bytes.Contains(r.Body, []byte(text)) }
	}
	upstream.Match(has("stays"), responsestest.Stream(append(events[:2:2], never.Stop())...))
	upstream.Match(has("break"), responsestest.Response{Events: events[:3], Abort: responsestest.AbortReset})
	upstream.Any(responsestest.Stream(events...))
	c := newCollector(t, s.random)
	c.careless = true
	settings := strings.Replace(config(upstream.BaseURL(), c.address, t.TempDir()), "[server]\n", "idle_conn_timeout = \"1s\"\n[server]\n", 1)
	p := start(t, settings)

	n := exchanges(t)
	light := func() { s.run(t, p.url, 50) }
	s.run(t, p.url, n/4) // What is remembered of conversations fills up to its bounds.
	before := p.rests(t, light, 0, 0)
	began := time.Now()
	s.run(t, p.url, n-n/4)
	took := time.Since(began)
	after := p.rests(t, light, before.goroutines+5, before.files+5)
	if after.goroutines > before.goroutines+5 || after.files > before.files+5 {
		t.Errorf("goroutines went from %v to %v, open files from %v to %v; want them where they were",
			before.goroutines, after.goroutines, before.files, after.files)
	}
	// The memory of facts and of the live feed may not have been full yet after a short warm-up.
	if limit := before.heap*1.1 + 16<<20; after.heap > limit {
		t.Errorf("live heap went from %.1f to %.1f MiB; want it where it was", before.heap/(1<<20), after.heap/(1<<20))
	}
	final := p.until(t, "empty queue", func(b books) bool { return b.Total.Queued == 0 })
	// On a busy machine an answer may come too late for the exporter, which sends once more then.
	if final.Total.Observed != final.Total.Delivered || int64(c.received) < final.Total.Delivered {
		t.Errorf("books = %+v, the collector has %d; want all delivered", final.Total, c.received)
	}
	m := p.metrics(t)
	if panics := m["codex_proxy_observer_panics_total"]; panics != 0 {
		t.Errorf("%v panics; want none", panics)
	}
	p.terminate(t)
	p.exited(t)
	t.Logf("%d exchanges, %d records; the last three quarters in %v: live heap %.1f MiB before and %.1f MiB after, resident %.0f and %.0f MiB, goroutines %v and %v, open files %v and %v; database %.1f MiB",
		s.started.Load(), final.Total.Observed, took.Round(time.Second), before.heap/(1<<20), after.heap/(1<<20), before.resident/(1<<20), after.resident/(1<<20),
		before.goroutines, after.goroutines, before.files, after.files, m["codex_proxy_store_bytes"]/(1<<20))
}
