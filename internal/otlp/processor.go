package otlp

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// maxPooledBytes keeps one huge record from pinning its buffer for ever.
const maxPooledBytes = 64 << 10

// processor is the sdklog.Processor of one resource: it encodes each record
// once, in the caller's goroutine, and appends the bytes to the open batch.
type processor struct {
	batcher *batcher
	scratch *sync.Pool // of *[]byte

	// The group is made from the first record, which knows the resource as the
	// SDK completed it.
	once  sync.Once
	group atomic.Pointer[group]
}

var _ sdklog.Processor = (*processor)(nil)

// Enabled implements sdklog.Processor.
func (*processor) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

// OnEmit implements sdklog.Processor. It never fails: what cannot be kept is
// counted, and the SDK's error handler would only write to stderr.
func (p *processor) OnEmit(_ context.Context, r *sdklog.Record) error {
	p.once.Do(func() {
		scope := r.InstrumentationScope()
		p.group.Store(newGroup(r.Resource().Attributes(), scope.Name, scope.Version))
	})
	buf := p.borrow()
	*buf = appendSDKRecord((*buf)[:0], r)
	p.batcher.add(p.group.Load(), *buf, r.EventName(), tellsDelta(r))
	p.giveBack(buf)
	return nil
}

// emitDelta does what emitting a delta through the SDK's logger would do, at a
// third of the cost: the SDK copies each attribute twice, and nine records of
// ten are deltas. It reports false, having done nothing, before the first
// record of the resource.
func (p *processor) emitDelta(h head, attrs []attribute.KeyValue) bool {
	g := p.group.Load()
	if g == nil {
		return false
	}
	buf := p.borrow()
	*buf = appendRecord((*buf)[:0], h, attrs)
	p.batcher.add(g, *buf, h.name, true)
	p.giveBack(buf)
	return true
}

func (p *processor) borrow() *[]byte {
	if buf, ok := p.scratch.Get().(*[]byte); ok {
		return buf
	}
	return new([]byte)
}

func (p *processor) giveBack(buf *[]byte) {
	if cap(*buf) <= maxPooledBytes {
		p.scratch.Put(buf)
	}
}

// ForceFlush implements sdklog.Processor. Flushing is the Exporter's.
func (*processor) ForceFlush(context.Context) error { return nil }

// Shutdown implements sdklog.Processor. Ending is the Exporter's.
func (*processor) Shutdown(context.Context) error { return nil }

func tellsDelta(r *sdklog.Record) bool {
	delta := false
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		if kv.Key != outbox.KindAttribute {
			return true
		}
		delta = kv.Value.Type() == attribute.STRING && strings.HasSuffix(kv.Value.AsString(), outbox.DeltaSuffix)
		return false
	})
	return delta
}
