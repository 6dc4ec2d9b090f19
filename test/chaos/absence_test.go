package chaos_test

import (
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// speakers have long prompts, each of them another one.
type speakers struct {
	load   *load
	length int // of a prompt, in bytes
	random *rand.Rand
}

// run has n exchanges.
func (s *speakers) run(t *testing.T, base string, n int) {
	t.Helper()
	var agents sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(n))
	for range 8 {
		var seed [32]byte
		for i := range seed {
			seed[i] = byte(s.random.Uint32())
		}
		random := rand.NewChaCha8(seed)
		agents.Go(func() {
			noise := make([]byte, s.length/2)
			for left.Add(-1) >= 0 && t.Context().Err() == nil {
				_, _ = random.Read(noise)
				s.load.once(t.Context(), base, overSSE, askWith(s.load.client, strings.Replace(question, "hello", hex.EncodeToString(noise), 1)))
			}
		})
	}
	agents.Wait()
	s.load.client.CloseIdleConnections()
	s.load.take()
}

// TestAbsence has a collector that is away while there is traffic, for hours of it: what waits piles up on disk, and not in
// memory. When the collector is back, all of it arrives.
func TestAbsence(t *testing.T) {
	n := max(1000, exchanges(t)/10)
	s := &speakers{load: newLoad(t), random: random(t), length: min(32<<10, 128<<20/n)}
	c := newCollector(t, s.random)
	c.careless = true
	c.feel(t, down)
	upstream := newUpstream(t, responsestest.Stream(stream()...))
	settings := strings.Replace(config(upstream.BaseURL(), c.address, t.TempDir()), "[server]\n", "idle_conn_timeout = \"1s\"\n[server]\n", 1)
	p := start(t, settings+"[content]\nprompts = \"full\"\n")

	const remembered = 10_000 // conversations: more of them take no more memory
	s.run(t, p.url, min(n, remembered+500))
	light := func() { s.run(t, p.url, 10) }
	before, was := p.rests(t, light, 0, 0), p.metrics(t)
	began := time.Now()
	s.run(t, p.url, n)
	took := time.Since(began)
	after, is := p.rests(t, light, before.goroutines+5, before.files+5), p.metrics(t)

	const stored, waiting = "codex_proxy_store_bytes", "codex_proxy_export_queued_bytes"
	piled := is[waiting] - was[waiting]
	if least := float64(n * s.length); piled < least {
		t.Errorf("%.1f MiB more wait; want the prompts, %.1f MiB", piled/(1<<20), least/(1<<20))
	}
	// Half of a hexadecimal digit is noise, which nothing compresses.
	if grown, least := is[stored]-was[stored], 0.95*float64(n*s.length)/2; grown < least {
		t.Errorf("the store has grown by %.1f MiB; want at least %.1f MiB, for the noise of the prompts", grown/(1<<20), least/(1<<20))
	}
	if limit := before.heap*1.1 + 8<<20; after.heap > limit {
		t.Errorf("live heap went from %.1f to %.1f MiB while %.1f MiB piled up; want it where it was",
			before.heap/(1<<20), after.heap/(1<<20), piled/(1<<20))
	}
	if after.goroutines > before.goroutines+5 || after.files > before.files+5 {
		t.Errorf("goroutines went from %v to %v, open files from %v to %v; want them where they were",
			before.goroutines, after.goroutines, before.files, after.files)
	}
	b := p.ledger(t)
	if !b.Durable || b.Total.Queued != b.Total.Observed {
		t.Errorf("books = %+v; want all to wait on disk", b)
	}

	c.feel(t, up)
	final := p.until(t, "empty queue", func(b books) bool { return b.Total.Queued == 0 })
	if final.Total.Delivered != final.Total.Observed || int64(c.received) < final.Total.Delivered {
		t.Errorf("books = %+v, the collector has %d; want all delivered", final.Total, c.received)
	}
	p.terminate(t)
	p.exited(t)
	t.Logf("%d records; those of the last %d exchanges in %v, while %.1f MiB piled up: live heap %.1f MiB before and %.1f MiB after, resident %.0f and %.0f MiB, database %.1f and %.1f MiB",
		final.Total.Observed, n, took.Round(time.Second), piled/(1<<20), before.heap/(1<<20), after.heap/(1<<20), before.resident/(1<<20), after.resident/(1<<20),
		was[stored]/(1<<20), is[stored]/(1<<20))
}
