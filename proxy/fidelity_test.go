package proxy_test

import (
	"context"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/fidelity"
	"github.com/codex-proxy/codex-proxy/proxy"
)

// Environment of the tests of byte fidelity: how many streams each compares, and the seed of them.
const (
	fidelityStreams = "FIDELITY_STREAMS"
	fidelitySeed    = "FIDELITY_SEED"
)

// number reads a number from the environment.
func number(t *testing.T, name string, fallback uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		t.Fatalf("%s = %q; want a number", name, text)
	}
	return n
}

// blocked is a Recorder that does not return before the test ends.
type blocked struct{ ctx context.Context }

func (b blocked) Record(events.Record) { <-b.ctx.Done() }

// brittle is a Recorder that always panics, and counts how often.
type brittle struct{ panics *atomic.Int64 }

func (b brittle) Record(events.Record) {
	b.panics.Add(1)
	panic("recorder")
}

// places are where observation of HTTP is made to panic.
var places = []string{"rewrite", "request", "begin", "response", "event", "end", "release"}

// TestBytesAreTheSame compares random streams with and without the proxy: all bytes, header values, trailers, and what the
// upstream sees of the request. Then it does so while what observes breaks in every way it can.
func TestBytesAreTheSame(t *testing.T) {
	origin := httptest.NewServer(fidelity.NewOrigin())
	defer origin.Close()
	base, err := url.Parse(origin.URL + "/v1")
	if err != nil {
		t.Fatal(err)
	}
	seed := number(t, fidelitySeed, 1)
	for name, test := range map[string]struct {
		recorder func(ctx context.Context, provoked *atomic.Int64) events.Recorder
		probe    func(provoked *atomic.Int64) func(place string)
		check    func(t *testing.T, stats proxy.Stats, provoked int64)
	}{
		"working": {recorder: discard, check: wantNoPanics},
		"panicking everywhere": {
			recorder: discard,
			probe: func(provoked *atomic.Int64) func(string) {
				var turn atomic.Int64
				return func(place string) {
					// A panic keeps what follows from being reached, so they take turns.
					if places[turn.Add(1)/5%int64(len(places))] == place {
						provoked.Add(1)
						panic(place)
					}
				}
			},
			check: wantPanics,
		},
		"recorder panics": {recorder: func(_ context.Context, provoked *atomic.Int64) events.Recorder { return brittle{provoked} }, check: wantPanics},
		"recorder blocks": {recorder: func(ctx context.Context, _ *atomic.Int64) events.Recorder { return blocked{ctx} }, check: wantUntold},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, release := context.WithCancel(t.Context())
			defer release()
			var provoked atomic.Int64
			handler, err := proxy.New(proxy.Config{BaseURL: base, Recorder: test.recorder(ctx, &provoked)})
			if err != nil {
				t.Fatal(err)
			}
			if test.probe != nil {
				handler.Probe(test.probe(&provoked))
			}
			server := httptest.NewServer(handler)
			defer handler.Close()
			defer server.Close()
			began := time.Now()
			result, err := fidelity.Comparison{
				Direct: origin.URL, Proxied: server.URL, Seed: seed, Streams: int(number(t, fidelityStreams, 100)),
			}.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			server.Close() // Every exchange is over then.
			stats := handler.Stats()
			if name != "recorder blocks" {
				if err := handler.Settle(t.Context()); err != nil {
					t.Error(err)
				}
				stats = handler.Stats()
			}
			test.check(t, stats, provoked.Load())
			t.Logf("seed %d: %d streams, %d MiB, the largest of %d bytes, equal in %v; %d panics, %d records untold",
				seed, result.Streams, result.Bytes>>20, result.Largest, time.Since(began).Round(time.Millisecond), stats.Panics, stats.Untold)
		})
	}
}

func discard(context.Context, *atomic.Int64) events.Recorder { return events.Discard{} }

func wantNoPanics(t *testing.T, stats proxy.Stats, _ int64) {
	t.Helper()
	if stats.Panics != 0 || stats.Lost != 0 {
		t.Errorf("Stats() = %+v; want no panics and nothing lost", stats)
	}
}

func wantPanics(t *testing.T, stats proxy.Stats, provoked int64) {
	t.Helper()
	if provoked < stats.Exchanges/10 || stats.Panics != provoked {
		t.Errorf("Stats() = %+v; want each of %d panics counted", stats, provoked)
	}
}

func wantUntold(t *testing.T, stats proxy.Stats, _ int64) {
	t.Helper()
	if stats.Untold+stats.Lost < stats.Exchanges {
		t.Errorf("Stats() = %+v; want the records of %d exchanges to wait for the recorder", stats, stats.Exchanges)
	}
}
