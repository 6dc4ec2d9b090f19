package otlp

import (
	"sync"

	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/codex-proxy/codex-proxy/events"
)

// scopeName is the instrumentation scope of every record.
const scopeName = "codex-proxy"

const (
	// maxLoggers bounds the resources remembered. A resource past it costs a new
	// provider, not a lost record.
	maxLoggers = 64
	// maxAttributes is the SDK's default, stated so that the environment cannot
	// change it. The catalogue's largest event has a third of it.
	maxAttributes = 128
)

// loggers holds the SDK's logger of each resource, the least recently used one
// going first.
type loggers struct {
	encoder *events.Encoder
	batcher *batcher
	version string
	scratch sync.Pool

	mu    sync.Mutex
	clock uint64
	items map[events.Resource]*item
}

func newLoggers(encoder *events.Encoder, batcher *batcher, version string) *loggers {
	return &loggers{encoder: encoder, batcher: batcher, version: version, items: make(map[events.Resource]*item)}
}

// item is the way of a resource's records into the open batch.
type item struct {
	logger    log.Logger
	processor *processor // behind the logger
	used      uint64     // value of loggers.clock at the last use
}

// get returns the item of a resource, which is compared by value.
func (l *loggers) get(r *events.Resource) *item {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	if found, ok := l.items[*r]; ok {
		found.used = l.clock
		return found
	}
	if len(l.items) >= maxLoggers {
		l.evict()
	}
	opened := l.open(r)
	opened.used = l.clock
	l.items[*r] = opened
	return opened
}

// evict forgets the least recently used logger. Its provider is not shut down:
// it holds nothing, and a record may be on its way through it.
func (l *loggers) evict() {
	var oldest events.Resource
	used := l.clock + 1
	for key, candidate := range l.items {
		if candidate.used < used {
			oldest, used = key, candidate.used
		}
	}
	delete(l.items, oldest)
}

// open makes the provider of a resource. OTEL_RESOURCE_ATTRIBUTES adds to the
// resource, as it does in Codex; what the encoder says wins. No other variable
// of the SDK's has a say.
func (l *loggers) open(r *events.Resource) *item {
	p := &processor{batcher: l.batcher, scratch: &l.scratch}
	provider := sdklog.NewLoggerProvider(
		sdklog.WithResource(resource.NewSchemaless(l.encoder.ResourceAttributes(r)...)),
		sdklog.WithProcessor(p),
		// The encoder's keys are unique; the check would be quadratic.
		sdklog.WithAllowKeyDuplication(),
		sdklog.WithAttributeCountLimit(maxAttributes),
		sdklog.WithAttributeValueLengthLimit(-1),
	)
	return &item{logger: provider.Logger(scopeName, log.WithInstrumentationVersion(l.version)), processor: p}
}
