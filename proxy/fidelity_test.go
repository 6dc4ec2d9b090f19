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

// brittle is a Recorder that always panics.
type brittle struct{}

func (brittle) Record(events.Record) { panic("recorder") }

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
		recorder func(context.Context) events.Recorder
		probe    func(*atomic.Int64) func(string)
		check    func(*testing.T, *proxy.Handler)
	}{
		"working": {recorder: func(context.Context) events.Recorder { return events.Discard{} }, check: wantNoPanics},
		"panicking everywhere": {
			recorder: func(context.Context) events.Recorder { return events.Discard{} },
			probe: func(provoked *atomic.Int64) func(string) {
				return func(place string) {
					// A panic keeps what follows from being reached, so they take turns.
					if turn := provoked.Add(1); places[turn/5%int64(len(places))] == place {
						panic(place)
					}
				}
			},
			check: wantPanics,
		},
		"recorder panics": {recorder: func(context.Context) events.Recorder { return brittle{} }, check: wantPanics},
		"recorder blocks": {recorder: func(ctx context.Context) events.Recorder { return blocked{ctx} }, check: wantUntold},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, release := context.WithCancel(t.Context())
			defer release()
			handler, err := proxy.New(proxy.Config{BaseURL: base, Recorder: test.recorder(ctx)})
			if err != nil {
				t.Fatal(err)
			}
			var provoked atomic.Int64
			if test.probe != nil {
				handler.Probe(test.probe(&provoked))
			}
			server := httptest.NewServer(handler)
			defer handler.Close()
			defer server.Close()
			began := time.Now()
			result, err := fidelity.Comparison{
				Direct: origin.URL, Proxied: server.URL, Seed: seed, Streams: int(number(t, fidelityStreams, 150)),
			}.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			test.check(t, handler)
			t.Logf("seed %d: %d streams, %d MiB, the largest of %d bytes, equal in %v; %+v",
				seed, result.Streams, result.Bytes>>20, result.Largest, time.Since(began).Round(time.Millisecond), handler.Stats())
		})
	}
}

func wantNoPanics(t *testing.T, h *proxy.Handler) {
	t.Helper()
	if stats := h.Stats(); stats.Panics != 0 || stats.Lost != 0 {
		t.Errorf("Stats() = %+v; want no panics and nothing lost", stats)
	}
}

func wantPanics(t *testing.T, h *proxy.Handler) {
	t.Helper()
	if err := h.Settle(t.Context()); err != nil {
		t.Error(err)
	}
	if stats := h.Stats(); stats.Panics < stats.Exchanges/10 {
		t.Errorf("Stats() = %+v; want the panics counted", stats)
	}
}

func wantUntold(t *testing.T, h *proxy.Handler) {
	t.Helper()
	if stats := h.Stats(); stats.Untold < stats.Exchanges {
		t.Errorf("Stats() = %+v; want records that wait for the recorder", stats)
	}
}
