package proxy

import (
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
)

// BenchmarkTeller hands over one record, which is what traffic waits for, and has it told meanwhile.
func BenchmarkTeller(b *testing.B) {
	teller := &teller{next: events.Discard{}}
	record := deltaRecord("id")
	b.ReportAllocs()
	for b.Loop() {
		teller.Record(record)
	}
	if err := teller.settle(b.Context()); err != nil {
		b.Fatal(err)
	}
}
