package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/config"
)

// BenchmarkCatchUp is how fast an outage of the collector is made up for: records that wait on disk are read, unpacked and
// sent, by one sender.
func BenchmarkCatchUp(b *testing.B) {
	const batch = 10_000
	var works atomic.Bool
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if !works.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer collector.Close()
	cfg := config.Default()
	cfg.OTel.Exporter.HTTP = &config.OTLPHTTP{Endpoint: collector.URL, Protocol: config.ProtocolBinary, Timeout: time.Second}
	cfg.Store.Dir = b.TempDir()
	s, err := newService(&cfg, slog.New(slog.DiscardHandler), &net.TCPAddr{})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.store.Run(ctx) }()
	record := deltaRun(s.merger)
	records, caughtUp := 0, time.Duration(0)
	for b.Loop() {
		works.Store(false)
		for range batch / 1000 {
			record()
		}
		if err := s.exporter.Sync(ctx); err != nil {
			b.Fatal(err)
		}
		works.Store(true)
		begun := time.Now()
		if err := s.exporter.Flush(ctx); err != nil {
			b.Fatal(err)
		}
		caughtUp += time.Since(begun)
		records += batch
	}
	b.ReportMetric(float64(records)/caughtUp.Seconds(), "records/s")
	cancel()
	<-ended
	if err := s.exporter.Close(); err != nil {
		b.Error(err)
	}
}

// BenchmarkReport is one report of a prompt at the endpoint, with everything behind it but sending.
func BenchmarkReport(b *testing.B) {
	run := reportOnce(b, allocService(b, "http://127.0.0.1:9/v1"))
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
}

// BenchmarkCompleted is a response.completed of 200 KB.
func BenchmarkCompleted(b *testing.B) {
	run := completedRun(allocService(b, "http://127.0.0.1:9/v1").merger)
	b.SetBytes(200_000)
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
}
