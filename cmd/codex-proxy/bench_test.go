package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/redact"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/ssetap"
)

// BenchmarkDelta follows deltas from their bytes to the disk: decoded, interpreted, recorded, sealed and written, and none
// dropped; then on to a collector; then with redaction, the live feed and the metrics before that. Time, processor time and
// allocations are those of one delta, with those of the store, the sender and the collector. What was recorded is waited for
// now and then, since memory has room for so many.
func BenchmarkDelta(b *testing.B) {
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer collector.Close()
	cfg := config.Default()
	cfg.OTel.Exporter.HTTP = &config.OTLPHTTP{Endpoint: collector.URL, Protocol: config.ProtocolBinary, Timeout: time.Second}
	for name, way := range map[string]struct {
		recorder func(*service) events.Recorder
		sends    bool
	}{
		"stored":     {func(s *service) events.Recorder { return s.exporter }, false},
		"sent":       {func(s *service) events.Recorder { return s.exporter }, true},
		"everything": {func(s *service) events.Recorder { return redact.New(s.told(&cfg)) }, true},
	} {
		b.Run(name, func(b *testing.B) {
			cfg.Store.Dir = b.TempDir()
			s, err := newService(&cfg, slog.New(slog.DiscardHandler), &net.TCPAddr{})
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			var running sync.WaitGroup
			running.Go(func() { _ = s.store.Run(ctx) })
			if way.sends {
				running.Go(func() { _ = s.exporter.Run(ctx) })
			}
			benchmarkDelta(b, way.recorder(s), func() {
				if err := s.exporter.Sync(ctx); err != nil {
					b.Fatal(err)
				}
			})
			if dropped := s.exporter.Stats().Dropped; dropped.Total() > 0 {
				b.Errorf("dropped %+v; want none", dropped)
			}
			cancel()
			running.Wait()
			if err := s.exporter.Close(); err != nil {
				b.Error(err)
			}
		})
	}
}

func benchmarkDelta(b *testing.B, recorder events.Recorder, settle func()) {
	b.Helper()
	const line = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":7," +
		"\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":\" word\"}\n\n"
	const inChunk, together = 8, 32 << 10
	chunk := []byte(strings.Repeat(line, inChunk))
	now := time.Now()
	scope := &events.Scope{
		ConversationID: "019a-conversation", AppVersion: "0.149.0", AuthMode: "ApiKey", Originator: "codex_exec",
		TerminalType: "xterm-256color", Model: "gpt-5", Slug: "gpt-5", TurnID: "turn-1", ResponseID: "resp_1", RequestID: "req_1",
		Resource: &events.Resource{ServiceName: "codex-cli", ServiceVersion: "0.149.0", Environment: "dev"}, Memo: new(events.Memo),
	}
	turn := responses.NewTurn(responses.TurnConfig{
		Recorder: recorder, Scope: scope, ExchangeID: events.ID("bench"), Start: now, Endpoint: responses.EndpointOf("POST", "/responses"),
	})
	decoder := &ssetap.Decoder{}
	yield := func(e *ssetap.Event) {
		turn.Event(responses.StreamEvent{Name: e.Name, Data: e.Data, Tail: e.Tail, At: now})
	}
	b.ReportAllocs()
	deltas, begun := 0, processorTime(b)
	for b.Loop() {
		if deltas++; deltas%inChunk == 0 {
			now = now.Add(20 * time.Millisecond)
			decoder.Write(chunk, yield)
		}
		if deltas%together == 0 {
			settle()
		}
	}
	settle()
	b.ReportMetric(float64(processorTime(b)-begun)/float64(deltas), "cpu-ns/op")
}
