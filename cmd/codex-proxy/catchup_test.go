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

// BenchmarkCatchUp is how fast an outage of the collector is made up for: an hour at a hundred records a second waits on disk,
// is read, unpacked and sent, by one sender. The records a second are those of one processor: the process's own time, and so
// the collector's share and the garbage of both, count against them.
func BenchmarkCatchUp(b *testing.B) {
	const (
		outage = 360_000
		part   = 10_000 // of which the memory has room for several
	)
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
	b.ReportAllocs()
	records, busy := 0, time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		works.Store(false)
		for range outage / part {
			for range part / 1000 {
				record()
			}
			if err := s.exporter.Sync(ctx); err != nil {
				b.Fatal(err)
			}
		}
		works.Store(true)
		begun := processorTime(b)
		b.StartTimer()
		if err := s.exporter.Flush(ctx); err != nil {
			b.Fatal(err)
		}
		busy += processorTime(b) - begun
		records += outage
	}
	if stats := s.exporter.Stats(); stats.Delivered != int64(records) {
		b.Fatalf("%d of %d records were delivered", stats.Delivered, records)
	}
	b.ReportMetric(float64(records)/busy.Seconds(), "records/cpu-s")
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
