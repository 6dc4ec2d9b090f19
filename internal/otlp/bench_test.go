package otlp

import (
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// sink is an outbox that keeps nothing, so that a benchmark measures recording.
type sink struct{ outbox.Outbox }

func (sink) Append(outbox.Entry) {}
func (sink) Close() int          { return 0 }

func benchmarkRecord(b *testing.B, r events.Record) {
	b.Helper()
	scope := *r.Scope
	scope.Memo = new(events.Memo)
	r.Scope = &scope
	x := openScripted(Config{Outbox: sink{}}, &scripted{})
	defer x.Close()
	b.ReportAllocs()
	for b.Loop() {
		x.Record(r)
	}
}

func BenchmarkRecordDelta(b *testing.B) { benchmarkRecord(b, delta()) }

func BenchmarkRecordCompleted(b *testing.B) { benchmarkRecord(b, completed()) }
