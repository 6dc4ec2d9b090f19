// Package otlp exports records as OpenTelemetry logs in the background.
//
// A record passes through the SDK's Logger into a processor that encodes it
// once; batches of encoded records wait in an
// [outbox.Outbox]; one sender at a time
// takes them, oldest first, to the collector over gRPC or HTTP. Observing never
// waits for exporting: what the collector does not take piles up to a bound, and
// whatever is given up is counted by reason in [Stats].
//
// It is the only package that knows the OpenTelemetry SDK and its exporters.
package otlp

import (
	"context"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// Exporter is an [events.Recorder] that sends records to a collector.
//
// Run sends as long as the program works. At the end, call Flush while Run still
// runs, then end Run, then Close.
type Exporter struct {
	encoder    *events.Encoder
	attributes sync.Pool // of *[]attribute.KeyValue
	loggers    *loggers
	foreigners *foreigners
	batcher    *batcher
	keeper     *keeper
	outbox     outbox.Outbox
	ledger     *ledger

	// turn holds one token. Who has taken it may send, and owns the four fields
	// below.
	turn    chan struct{}
	courier *courier
	health  *health
	backoff backoff
	full    int64 // records dropped for room, as last looked at

	// wake ends Run's wait for the next try.
	wake chan struct{}
	// life ends at Close.
	life      context.Context
	end       context.CancelFunc
	closeOnce sync.Once
	closeErr  error
}

var _ events.Recorder = (*Exporter)(nil)

// New returns an Exporter that sends nothing before Run. It connects lazily: a
// collector that is down is no error. The error joins every problem of cfg and
// shows neither header values nor the endpoint's URL.
func New(cfg Config) (*Exporter, error) {
	cfg = cfg.withDefaults()
	endpoint, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	var s sender
	if cfg.Protocol == ProtocolGRPC {
		s, err = newGRPCSender(cfg, endpoint)
		if err != nil {
			return nil, err
		}
	} else {
		s = newHTTPSender(cfg)
	}
	scrub := newScrubber(cfg.Headers, endpoint)
	return newExporter(cfg, s, scrub, endpoint.Host), nil
}

// newExporter wires an Exporter around a sender. cfg must have its defaults.
func newExporter(cfg Config, s sender, scrub *scrubber, host string) *Exporter {
	life, end := context.WithCancel(context.Background())
	x := &Exporter{
		encoder: cfg.Encoder,
		outbox:  cfg.Outbox,
		ledger:  new(ledger),
		turn:    make(chan struct{}, 1),
		health:  newHealth(cfg.Logger, cfg.Protocol, host),
		wake:    make(chan struct{}, 1),
		life:    life,
		end:     end,
	}
	x.batcher = &batcher{
		limits:  cfg.Batch,
		sealed:  x.outbox.Append,
		forgets: x.outbox.Forget,
		refused: func(name string) { x.outbox.Lose(outbox.Tally{name: 1}, outbox.Shutdown) },
	}
	x.loggers = newLoggers(cfg.Encoder, x.batcher, cfg.Version)
	x.foreigners = newForeigners(x.batcher)
	x.keeper = newKeeper(cfg.Encoder, cfg.Version)
	x.courier = &courier{sender: s, timeout: cfg.Timeout, ledger: x.ledger, health: x.health, scrub: scrub}
	return x
}

// maxPooledAttributes keeps one odd record from pinning its attributes' slice.
const maxPooledAttributes = 256

// Record implements events.Recorder. It encodes r at once and never waits for
// the collector; after Close it only counts.
func (x *Exporter) Record(r events.Record) {
	x.encoder.Expand(r, x.emit)
}

// Lose books records that did not come this far for want of room.
func (x *Exporter) Lose(name string, n int) {
	x.outbox.Lose(outbox.Tally{name: n}, outbox.QueueFull)
}

func (x *Exporter) emit(r events.Record) {
	if foreign, ok := r.Event.(*events.Foreign); ok {
		x.foreigners.add(r, foreign)
		return
	}
	kind, duration, plain := plainDelta(r)
	// The codex schema makes a scope of its own for every record.
	plain = plain && x.encoder.Schema == events.SchemaTyped
	if plain && x.emitLike(r, kind, duration) {
		return
	}
	attrs, ok := x.attributes.Get().(*[]attribute.KeyValue)
	if !ok {
		attrs = new([]attribute.KeyValue)
	}
	*attrs = x.encoder.Attributes((*attrs)[:0], r)
	h := headOf(x.encoder, r)
	to := x.loggers.get(r.Scope.Resource)
	if !isDeltaEvent(r.Event) || !to.processor.emitDelta(h, *attrs) {
		emitSDK(to.logger, h, *attrs)
	}
	if g := to.processor.group.Load(); plain && g != nil && r.Scope.Memo != nil {
		r.Scope.Memo.Store(events.MemoEncoded, x.newTemplate(r, kind, g, h, *attrs))
	}
	clear(*attrs)
	if cap(*attrs) <= maxPooledAttributes {
		x.attributes.Put(attrs)
	}
}

// headOf returns what the log record of r has beside its attributes.
func headOf(encoder *events.Encoder, r events.Record) head {
	severity := log.Severity(encoder.Severity(r))
	h := head{at: r.Time, observed: r.Time, severity: severity, severityText: severity.String(), name: r.Event.EventName()}
	if body := encoder.Body(r); body != "" {
		h.body = attribute.StringValue(body)
	}
	return h
}

// emitLike emits a delta by the template of its stream. It reports false, having
// done nothing, if there is none.
func (x *Exporter) emitLike(r events.Record, kind string, duration int64) bool {
	t := x.templateOf(r.Scope)
	nano := unixNano(r.Time)
	if !t.fits(r, kind) || nano == 0 {
		return false
	}
	buf, ok := x.loggers.scratch.Get().(*[]byte)
	if !ok {
		buf = new([]byte)
	}
	*buf = t.fill((*buf)[:0], nano, r, duration)
	x.batcher.add(t.group, *buf, events.NameSSEEvent, true)
	if cap(*buf) <= maxPooledBytes {
		x.loggers.scratch.Put(buf)
	}
	return true
}

// emitSDK emits through the SDK. Emitting ignores the cancellation of the request
// it describes.
func emitSDK(logger log.Logger, h head, attrs []attribute.KeyValue) {
	var record log.Record
	record.SetTimestamp(h.at)
	record.SetObservedTimestamp(h.observed)
	record.SetEventName(h.name)
	record.SetSeverity(h.severity)
	record.SetSeverityText(h.severityText)
	record.SetBody(h.body)
	record.AddAttributes(attrs...)
	logger.Emit(context.Background(), record)
}

func isDeltaEvent(event events.Event) bool {
	switch e := event.(type) {
	case *events.SSEEvent:
		return strings.HasSuffix(e.Kind.Value, outbox.DeltaSuffix)
	case *events.WebSocketEvent:
		return strings.HasSuffix(e.Kind, outbox.DeltaSuffix)
	default:
		return false
	}
}

// Close ends the Exporter and Run with it. Records still queued are counted as
// dropped unless the outbox outlives the process, and so are those that come
// later. It may be called more than once.
func (x *Exporter) Close() error {
	x.closeOnce.Do(func() {
		x.end()
		x.turn <- struct{}{} // A try under way has just been canceled.
		x.batcher.close()
		lost := x.outbox.Close()
		x.health.loses(lost)
		if !x.isLocal() {
			x.closeErr = x.courier.sender.close()
		}
	})
	return x.closeErr
}

// Stats returns a snapshot that balances.
func (x *Exporter) Stats() Stats {
	_, process := x.Ledger()
	s := x.ledger.snapshot(process.Total())
	_, bytes := x.outbox.Size()
	s.QueuedBytes = int64(x.batcher.openBytes() + bytes)
	s.Panics = x.batcher.panics.Load()
	return s
}

// Ledger returns the books since ever and those since the process began, the
// open batch included.
func (x *Exporter) Ledger() (ever, process outbox.Ledger) {
	x.batcher.mu.Lock()
	defer x.batcher.mu.Unlock()
	ever, process = x.outbox.Ledger()
	ever.Observe(x.batcher.counts)
	process.Observe(x.batcher.counts)
	return ever, process
}

// Sync returns once all that is recorded so far is as safe as the outbox makes
// it: on disk, if it is one on disk.
func (x *Exporter) Sync(ctx context.Context) error {
	x.batcher.seal()
	return x.outbox.Sync(ctx)
}

// take waits for the turn to send. It reports false when ctx ends first.
func (x *Exporter) take(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case x.turn <- struct{}{}:
		return true
	}
}

func (x *Exporter) release() { <-x.turn }

// untilClosed returns a context that ends with ctx or at Close.
func (x *Exporter) untilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(x.life, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
