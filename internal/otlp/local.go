package otlp

import (
	"context"
)

// NewLocal returns an Exporter without a collector: what is recorded goes to
// cfg.Outbox and no further. Of cfg only Outbox, Encoder, Version, Batch and
// Logger matter.
func NewLocal(cfg Config) *Exporter {
	return newExporter(cfg.withDefaults(), nil, &scrubber{}, "")
}

// isLocal reports whether there is no collector.
func (x *Exporter) isLocal() bool { return x.courier.sender == nil }

// flushLocal does what can be done with what is recorded.
func (x *Exporter) flushLocal(ctx context.Context) error {
	x.batcher.seal()
	return x.outbox.Sync(ctx)
}
