package otlp

import (
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
)

// sink is an outbox that keeps nothing, so that a benchmark measures recording.
type sink struct{ Outbox }

func (sink) Append(Entry) int { return 0 }
func (sink) Size() (int, int) { return 0, 0 }
func (sink) Close() int       { return 0 }

func benchmarkRecord(b *testing.B, r events.Record) {
	b.Helper()
	x := openScripted(Config{Outbox: sink{}}, &scripted{})
	defer x.Close()
	b.ReportAllocs()
	for b.Loop() {
		x.Record(r)
	}
}

func BenchmarkRecordDelta(b *testing.B) { benchmarkRecord(b, delta()) }

func BenchmarkRecordCompleted(b *testing.B) { benchmarkRecord(b, completed()) }
