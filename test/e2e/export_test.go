package e2e_test

import (
	"testing"

	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// TestExport holds a conversation and wants all of its records at the collector while the proxy runs.
func TestExport(t *testing.T) {
	variants := []struct {
		name        string
		tls         bool
		compression string
	}{
		{"plain", false, "none"},
		{"gzip", false, "gzip"},
		{"TLS", true, "none"},
		{"TLS gzip", true, "gzip"},
	}
	for _, way := range ways() {
		for _, variant := range variants {
			t.Run(way.name+" "+variant.name, func(t *testing.T) {
				t.Parallel() // Most of it is waiting.
				collector := receiver.Start(t, receiver.Options{TLS: variant.tls})
				p := serve(t, newModel(t).BaseURL(), way.table(collector, exporter{
					headers:     map[string]string{"x-otlp-api-key": exportKey, "X-Otlp-Meta": "abc 123"},
					caFile:      collector.CAFile(),
					compression: variant.compression,
				}))
				converse(t, p)
				checkConversation(t, waitRecords(t, collector.Sink, conversationRecords))
				for _, batch := range collector.Sink.Batches() {
					for name, want := range map[string]string{
						"Content-Type": way.contentType, "x-otlp-api-key": exportKey, "x-otlp-meta": "abc 123",
					} {
						if got := batch.Header(name); got != want {
							t.Errorf("batch has %s %q; want %q", name, got, want)
						}
					}
				}
				p.stop()
				if got := len(collector.Sink.Records()); got != conversationRecords {
					t.Errorf("%d records after the end; want each of %d once", got, conversationRecords)
				}
			})
		}
	}
}

// TestExportToUntrustedCollector wants nothing to be sent to a collector whose authority is not trusted.
func TestExportToUntrustedCollector(t *testing.T) {
	for _, way := range ways() {
		t.Run(way.name, func(t *testing.T) {
			collector := receiver.Start(t, receiver.Options{TLS: true})
			p := serve(t, newModel(t).BaseURL(), way.table(collector, exporter{}))
			converse(t, p)
			scraped := p.waitMetrics(t, func(m metrics) bool { return m[failedTries] > 0 && m.observed() == conversationRecords })
			scraped.checkBalance(t)
			if scraped[queued] != conversationRecords {
				t.Errorf("%v records wait; want %d", scraped[queued], conversationRecords)
			}
			p.stop()
			if got := len(collector.Sink.Batches()); got != 0 {
				t.Errorf("%d batches arrived; want none", got)
			}
		})
	}
}

// waitRecords returns the first n records in sink, which must arrive within ten seconds.
func waitRecords(t *testing.T, sink *receiver.Sink, n int) []receiver.Record {
	t.Helper()
	return waitFor(t, sink, func(records []receiver.Record) bool { return len(records) >= n })
}
