package otlp

import (
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// The attributes in which two deltas of one stream differ.
const (
	timestampAttribute = "event.timestamp"
	durationAttribute  = "duration_ms"
	idAttribute        = "event.id"
)

// template is an encoded delta with gaps where the next one of its stream may
// differ: the times, the duration and the id. Filling it takes a tenth of the
// time that encoding a record does, and most records are deltas.
type template struct {
	owner  *Exporter
	scope  *events.Scope
	kind   string
	source events.Source
	group  *group

	lead   []byte // after the times, up to the text of event.timestamp
	middle []byte // after it, up to duration_ms
	tail   []byte // after that, up to event.id
}

// templateOf returns the template kept with a scope, nil for none.
func (x *Exporter) templateOf(scope *events.Scope) *template {
	t, ok := scope.Memo.Load(events.MemoEncoded).(*template)
	if !ok || t == nil || t.owner != x {
		return nil
	}
	return t
}

// newTemplate makes a template of a record that has been encoded. It returns nil
// for one that does not have the shape.
func (x *Exporter) newTemplate(r events.Record, kind string, g *group, h head, attrs []attribute.KeyValue) *template {
	stamp := index(attrs, timestampAttribute)
	duration := index(attrs, durationAttribute)
	id := index(attrs, idAttribute)
	if stamp < 0 || duration < stamp || id < duration || id != len(attrs)-1 ||
		len(attrs[stamp].Value.AsString()) != len(events.TimestampFormat) || attrs[duration].Value.Type() != attribute.INT64 {
		return nil
	}
	h.at, h.observed = time.Time{}, time.Time{}
	lead := appendRecord(nil, h, attrs[:stamp+1])
	return &template{
		owner: x, scope: r.Scope, kind: kind, source: r.Source, group: g,
		lead:   lead[:len(lead)-len(events.TimestampFormat)],
		middle: appendRecord(nil, head{}, attrs[stamp+1:duration]),
		tail:   appendRecord(nil, head{}, attrs[duration+1:id]),
	}
}

func index(attrs []attribute.KeyValue, key attribute.Key) int {
	return slices.IndexFunc(attrs, func(kv attribute.KeyValue) bool { return kv.Key == key })
}

// fits reports whether the template is one of a record.
func (t *template) fits(r events.Record, kind string) bool {
	return t != nil && t.scope == r.Scope && t.kind == kind && t.source == r.Source
}

// fill appends the LogRecord of a delta.
func (t *template) fill(dst []byte, nano uint64, r events.Record, duration int64) []byte {
	dst = appendFixed64(dst, fieldTime, nano)
	dst = appendFixed64(dst, fieldObservedTime, nano)
	dst = append(dst, t.lead...)
	dst = appendTimestamp(dst, r.Time)
	dst = append(dst, t.middle...)
	dst = appendKeyValue(dst, fieldAttribute, attribute.Int64(durationAttribute, duration))
	dst = append(dst, t.tail...)
	return appendKeyValue(dst, fieldAttribute, attribute.String(idAttribute, r.ID))
}

// appendTimestamp appends a time in events.TimestampFormat. It must be one that
// unixNano tells.
func appendTimestamp(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = appendDigits(dst, year, 1000)
	dst = append(appendDigits(append(dst, '-'), int(month), 10), '-')
	dst = append(appendDigits(dst, day, 10), 'T')
	dst = append(appendDigits(dst, hour, 10), ':')
	dst = append(appendDigits(dst, minute, 10), ':')
	dst = append(appendDigits(dst, second, 10), '.')
	return append(appendDigits(dst, t.Nanosecond()/int(time.Millisecond), 100), 'Z')
}

// appendDigits appends n with the digits down from that of the given unit.
func appendDigits(dst []byte, n, unit int) []byte {
	for ; unit > 0; unit /= 10 {
		dst = append(dst, "0123456789"[n/unit%10])
	}
	return dst
}

// plainDelta returns the kind and the duration of a record that tells of a delta
// and of nothing else.
func plainDelta(r events.Record) (kind string, duration int64, ok bool) {
	e, ok := r.Event.(*events.SSEEvent)
	if !ok || r.Remarks != nil || r.ID == "" || !e.DurationMS.Set || !strings.HasSuffix(e.Kind.Value, outbox.DeltaSuffix) {
		return "", 0, false
	}
	return e.Kind.Value, e.DurationMS.Value, *e == (events.SSEEvent{Kind: e.Kind, DurationMS: e.DurationMS})
}
