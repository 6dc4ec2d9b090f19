package otlp

import (
	"sync"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// maxKept bounds what one record makes, far above what it can.
const maxKept = 1 << 30

// keeper encodes single records into batches of their own.
type keeper struct {
	mu         sync.Mutex
	batcher    *batcher
	loggers    *loggers
	foreigners *foreigners
	sealed     outbox.Entry
}

func newKeeper(encoder *events.Encoder, version string) *keeper {
	k := new(keeper)
	k.batcher = &batcher{
		limits: BatchLimits{MaxBytes: maxKept, MaxRecords: maxKept, MaxDelay: maxBackoff}, // It is sealed before.
		sealed: func(e outbox.Entry) { k.sealed = e },
	}
	k.loggers = newLoggers(encoder, k.batcher, version)
	k.foreigners = newForeigners(k.batcher)
	return k
}

// encode returns the batch of a record, without records where the schema tells
// nothing of it.
func (k *keeper) encode(r events.Record) outbox.Entry {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sealed = outbox.Entry{}
	k.loggers.encoder.Expand(r, func(r events.Record) {
		if foreign, ok := r.Event.(*events.Foreign); ok {
			k.foreigners.add(r, foreign)
			return
		}
		emitSDK(k.loggers.get(r.Scope.Resource).logger, headOf(k.loggers.encoder, r), k.loggers.encoder.Attributes(nil, r))
	})
	k.batcher.seal()
	return k.sealed
}

// Keep notes a record that will be recorded later, and perhaps with more in it
// by then, in place of an earlier one under the same key. It is sent only if the
// process ends before it is recorded, and the outbox outlives that.
func (x *Exporter) Keep(key uint64, r events.Record) {
	if e := x.keeper.encode(r); e.Records > 0 {
		x.outbox.Keep(key, e)
	}
}

// Forget ends what Keep began: what became of it is recorded.
func (x *Exporter) Forget(key uint64) { x.batcher.forget(key) }
