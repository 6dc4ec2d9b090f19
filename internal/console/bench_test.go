package console

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
)

func BenchmarkHubRecord(b *testing.B) {
	record := numbered(1, delta(), "0199a213-81c0-7800-8aa1-bbab2aa203a3")
	b.Run("no reader", func(b *testing.B) {
		hub := NewHub(HubConfig{})
		b.ReportAllocs()
		for b.Loop() {
			hub.Record(record)
		}
	})
	b.Run("one reader keeping up", func(b *testing.B) {
		hub := serve(b, HubConfig{})
		r := hub.join(b, "", "")
		read := make(chan struct{}, windowEvents)
		go func() {
			defer close(read)
			for lines := bufio.NewScanner(r.resp.Body); lines.Scan(); {
				if bytes.HasPrefix(lines.Bytes(), []byte("data:")) {
					read <- struct{}{}
				}
			}
		}()
		b.ReportAllocs()
		ahead := 0
		for b.Loop() {
			if ahead++; ahead > windowEvents {
				<-read
			}
			hub.Record(record)
		}
		b.StopTimer()
		r.resp.Body.Close()
		for range read {
			ahead--
		}
	})
	b.Run("one reader left behind", func(b *testing.B) {
		hub := serve(b, HubConfig{})
		r := hub.join(b, "", "")
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			_, _ = io.Copy(io.Discard, r.resp.Body)
		}()
		b.ReportAllocs()
		for b.Loop() {
			hub.Record(record)
		}
		b.StopTimer()
		stats := hub.Stats()
		b.ReportMetric(float64(stats.Sent)/float64(stats.Recorded), "sent/op")
		r.resp.Body.Close()
		<-drained
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	encoder := &events.Encoder{}
	for name, event := range map[string]events.Event{
		"delta": delta(),
		"tool":  &events.ToolResult{ToolName: "shell", Output: events.Some(strings.Repeat("a line of output\n", 1000))},
	} {
		record := numbered(1, event, "0199a213-81c0-7800-8aa1-bbab2aa203a3")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				dst = AppendJSON(dst[:0], encoder, record)
			}
			b.SetBytes(int64(len(dst)))
		})
	}
}

func BenchmarkMetricsRecord(b *testing.B) {
	m := NewMetrics("bench")
	record := numbered(1, delta(), "c")
	b.ReportAllocs()
	for b.Loop() {
		m.Record(record)
	}
}
