package otlp

import (
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// framingBytes is more than the tags and lengths around a resource's records
// take.
const framingBytes = 32

// maxSpares is how many buffers of sealed groups are kept for the next ones.
const maxSpares = 4

// group is the part of the open batch that belongs to one resource.
type group struct {
	resource []byte // field ResourceLogs.resource; never changed
	scope    []byte // field ScopeLogs.scope; never changed

	// Guarded by batcher.mu.
	records []byte // fields ScopeLogs.log_records
	count   int
}

func newGroup(resource []attribute.KeyValue, scopeName, scopeVersion string) *group {
	return &group{
		resource: appendResource(nil, resource),
		scope:    appendScope(nil, scopeName, scopeVersion),
	}
}

// batcher gathers encoded records, grouped by resource, and seals them into
// entries bounded in bytes, records and time.
type batcher struct {
	limits BatchLimits
	// sealed takes a sealed batch. It is called with mu held, so that batches
	// leave in the order they were sealed, and must not block.
	sealed func(outbox.Entry)
	// forgets takes keys, after the batch that was open when they were forgotten.
	// It must not block either.
	forgets func(keys []uint64)
	// refused counts a record that came after close.
	refused func(name string)

	mu      sync.Mutex
	groups  []*group // those with records, in order of appearance
	bytes   int      // of the open batch, framing included
	records int
	deltas  int
	counts  outbox.Tally
	forgot  []uint64 // keys of what became part of the open batch
	spares  [][]byte
	timer   *time.Timer // seals the open batch MaxDelay after its first record
	closed  bool

	panics atomic.Int64 // contained by sealInTime
}

// add appends an encoded LogRecord to the open batch. It keeps no reference to
// record.
func (b *batcher) add(g *group, record []byte, name string, delta bool) {
	size := sizeBytesField(fieldLogRecord, len(record))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		b.refused(name)
		return
	}
	if b.records > 0 && b.bytes+size+b.groupBytes(g) > b.limits.MaxBytes {
		b.sealLocked()
	}
	b.bytes += size + b.groupBytes(g)
	if g.count == 0 {
		b.groups = append(b.groups, g)
		if last := len(b.spares) - 1; last >= 0 {
			g.records, b.spares = b.spares[last], b.spares[:last]
		}
	}
	g.records = appendBytes(g.records, fieldLogRecord, record)
	g.count++
	b.records++
	if b.counts == nil {
		b.counts = make(outbox.Tally)
	}
	b.counts[name]++
	if delta {
		b.deltas++
	}
	switch {
	case b.records >= b.limits.MaxRecords || b.bytes >= b.limits.MaxBytes:
		b.sealLocked()
	case b.records == 1:
		b.arm()
	}
}

// groupBytes is what a record costs beside itself: the resource, unless the
// open batch has it.
func (b *batcher) groupBytes(g *group) int {
	if g.count > 0 {
		return 0
	}
	return len(g.resource) + len(g.scope) + framingBytes
}

// arm starts the timer of a batch that has its first record. A timer that fires
// late, for a batch that was sealed meanwhile, seals the next one early, which
// does no harm.
func (b *batcher) arm() {
	if b.timer == nil {
		b.timer = time.AfterFunc(b.limits.MaxDelay, b.sealInTime)
		return
	}
	b.timer.Reset(b.limits.MaxDelay)
}

// sealInTime is seal on the timer's goroutine, where nobody else would keep a
// panic from ending the process. It tries again later.
func (b *batcher) sealInTime() {
	defer func() {
		if recover() == nil {
			return
		}
		b.panics.Add(1)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.arm()
	}()
	b.seal()
}

// seal ends the open batch, if there is one.
func (b *batcher) seal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealLocked()
}

// forget passes a key on once the open batch is sealed, at once if there is none.
func (b *batcher) forget(key uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forgot = append(b.forgot, key)
	if b.records == 0 {
		b.passKeys()
	}
}

func (b *batcher) passKeys() {
	if len(b.forgot) > 0 {
		b.forgets(b.forgot)
		b.forgot = nil
	}
}

// close seals the open batch; records that come later are refused.
func (b *batcher) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealLocked()
	b.closed = true
}

// openBytes is the size of the open batch.
func (b *batcher) openBytes() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}

func (b *batcher) sealLocked() {
	if b.timer != nil {
		b.timer.Stop()
	}
	if b.records == 0 {
		return
	}
	payload := make([]byte, 0, b.bytes)
	for i, g := range b.groups {
		payload = g.appendRequest(payload)
		if len(b.spares) < maxSpares && cap(g.records) <= 2*b.limits.MaxBytes {
			b.spares = append(b.spares, g.records[:0])
		}
		g.records, g.count = nil, 0
		b.groups[i] = nil
	}
	entry := outbox.Entry{Payload: payload, Records: b.records, Deltas: b.deltas, Counts: b.counts}
	b.groups, b.bytes, b.records, b.deltas, b.counts = b.groups[:0], 0, 0, 0, nil
	b.sealed(entry)
	b.passKeys()
}

// appendRequest appends the field ExportLogsServiceRequest.resource_logs.
func (g *group) appendRequest(dst []byte) []byte {
	scopeLogs := len(g.scope) + len(g.records)
	resourceLogs := len(g.resource) + sizeBytesField(fieldScopeLogs, scopeLogs)
	dst = protowire.AppendTag(dst, fieldResourceLogs, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(resourceLogs)) //nolint:gosec // A size is never negative.
	dst = append(dst, g.resource...)
	dst = protowire.AppendTag(dst, fieldScopeLogs, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(scopeLogs))
	dst = append(dst, g.scope...)
	return append(dst, g.records...)
}
