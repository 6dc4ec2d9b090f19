package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/redact"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/ssetap"
)

// BenchmarkDelta follows deltas from their bytes to the disk and on to a collector: decoded, interpreted, recorded, sealed,
// written and sent. The time is that of one delta, and so are the allocations, those of writing and sending included.
func BenchmarkDelta(b *testing.B) {
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer collector.Close()
	cfg := config.Default()
	cfg.OTel.Exporter.HTTP = &config.OTLPHTTP{Endpoint: collector.URL, Protocol: config.ProtocolBinary, Timeout: time.Second}
	cfg.Store.Dir = b.TempDir()
	for name, recorder := range map[string]func(*service) events.Recorder{
		"export":     func(s *service) events.Recorder { return s.exporter },
		"everything": func(s *service) events.Recorder { return redact.New(s.told(&cfg)) },
	} {
		b.Run(name, func(b *testing.B) {
			s, err := newService(&cfg, slog.New(slog.DiscardHandler), &net.TCPAddr{})
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan error, 2)
			go func() { ended <- s.store.Run(ctx) }()
			go func() { ended <- s.exporter.Run(ctx) }()
			benchmarkDelta(b, recorder(s))
			cancel()
			<-ended
			<-ended
			if err := s.exporter.Close(); err != nil {
				b.Error(err)
			}
		})
	}
}

func benchmarkDelta(b *testing.B, recorder events.Recorder) {
	b.Helper()
	const line = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":7," +
		"\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":\" word\"}\n\n"
	const inChunk = 8
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
	deltas := 0
	for b.Loop() {
		if deltas++; deltas%inChunk == 0 {
			now = now.Add(20 * time.Millisecond)
			decoder.Write(chunk, yield)
		}
	}
}
