package events

import (
	"reflect"
	"strconv"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// Schema is a way of spelling the catalogue.
type Schema uint8

const (
	// SchemaTyped is the documented spelling: numbers are ints, severity tells
	// failures, one record tells a completion with its duration and its tokens.
	SchemaTyped Schema = iota
	// SchemaCodex is what the agent's release of Codex would have written: its
	// types, its spelling, its severity, its doubled response.completed.
	SchemaCodex
)

// Severity numbers of the OpenTelemetry log data model.
const (
	SeverityInfo  = 9
	SeverityError = 17
)

// DefaultMaxValueBytes bounds one attribute value unless Encoder.MaxValueBytes
// says otherwise. Three such values stay below the 4 MiB that an OTLP/gRPC
// receiver takes by default.
const DefaultMaxValueBytes = 512 << 10

// Encoder turns records into OpenTelemetry attributes. Strings leave it as
// valid UTF-8 without NULs and bounded in length: one hostile byte or one huge
// value in the traffic must never cost a batch.
//
// The zero Encoder writes SchemaTyped. It is safe for concurrent use.
type Encoder struct {
	Schema Schema
	// MaxValueBytes bounds every string, the mark of a cut included; 0 means
	// DefaultMaxValueBytes. A limit below the mark's length leaves the mark alone.
	MaxValueBytes int

	repaired  atomic.Int64
	truncated atomic.Int64
}

// Repaired counts the values that were not valid UTF-8 or held a NUL; each NUL
// and each run of invalid bytes was replaced by U+FFFD.
func (e *Encoder) Repaired() int64 { return e.repaired.Load() }

// Truncated counts the values that were cut at MaxValueBytes; the mark at their
// end says how long they were.
func (e *Encoder) Truncated() int64 { return e.truncated.Load() }

// TimestampFormat is the format of event.timestamp, in UTC: RFC 3339 with
// exactly three fractional digits.
const TimestampFormat = "2006-01-02T15:04:05.000Z"

// Expand calls yield with the records that the schema makes of one: the record
// itself, two for a completion in the codex schema, none for what Codex does
// not tell.
func (e *Encoder) Expand(r Record, yield func(Record)) {
	if e.Schema != SchemaCodex {
		yield(r)
		return
	}
	expandCodex(r, yield)
}

// Attributes appends the attributes of a record that Expand yielded: event.name
// and event.timestamp, the event's own, those of its scope, and those that
// codex-proxy adds. Keys are unique.
//
// Of a Foreign they are its own; a list or a map among them is told as its JSON.
func (e *Encoder) Attributes(dst []attribute.KeyValue, r Record) []attribute.KeyValue {
	dst = append(
		dst,
		attribute.String(keyName, r.Event.EventName()),
		attribute.String(keyTimestamp, r.Time.UTC().Format(TimestampFormat)),
	)
	if foreign, ok := r.Event.(*Foreign); ok {
		return e.appendPairs(dst, foreign.Told(r))
	}
	dst = e.appendStruct(dst, reflect.ValueOf(r.Event))
	if limited, ok := r.Event.(interface{ OtherLimits() []Pair }); ok {
		dst = e.appendPairs(dst, limited.OtherLimits())
	}
	dst = e.appendStruct(dst, reflect.ValueOf(r.Scope))
	dst = e.appendPairs(dst, r.Scope.Metadata)
	dst = e.appendPairs(dst, r.Extra())
	dst = append(dst, attribute.String(keySource, r.Source.String()))
	if disagreement := r.Disagreement(); disagreement != "" {
		dst = append(dst, attribute.String(keyDisagreement, disagreement))
	}
	if r.ID != "" {
		dst = append(dst, attribute.String(keyID, r.ID))
	}
	return dst
}

// Keys of a record's envelope: what is told beside the fields of the event and
// of its scope.
const (
	keyName         = "event.name"
	keyTimestamp    = "event.timestamp"
	keySource       = "telemetry.source"
	keyDisagreement = "telemetry.disagreement"
	keyID           = "event.id"
)

// isEnvelope reports whether a key is one of a record's envelope.
func isEnvelope(key string) bool {
	switch key {
	case keyName, keyTimestamp, keySource, keyDisagreement, keyID:
		return true
	default:
		return false
	}
}

// appendPairs appends what the catalogue has no field for. Those who made the
// pairs saw to it that no key comes twice.
func (e *Encoder) appendPairs(dst []attribute.KeyValue, pairs []Pair) []attribute.KeyValue {
	for _, p := range pairs {
		key := attribute.Key(p.Key)
		switch v := p.Value; {
		case p.Key == keyName || p.Key == keyTimestamp:
		case v.Kind == ValueInt:
			dst = append(dst, key.Int64(v.Int))
		case v.Kind == ValueBool:
			dst = append(dst, key.Bool(v.Bool))
		case v.Kind == ValueDouble:
			dst = append(dst, key.Float64(v.Double))
		default:
			dst = append(dst, key.String(e.clean(v.String())))
		}
	}
	return dst
}

// ResourceAttributes returns the attributes of a resource.
func (e *Encoder) ResourceAttributes(r *Resource) []attribute.KeyValue {
	attrs := []attribute.KeyValue{attribute.String("service.name", e.clean(r.ServiceName))}
	if r.ServiceVersion != "" {
		attrs = append(attrs, attribute.String("service.version", e.clean(r.ServiceVersion)))
	}
	if r.Environment != "" {
		attrs = append(attrs, attribute.String("env", e.clean(r.Environment)))
	}
	return attrs
}

// Severity returns the severity number of a record.
func (e *Encoder) Severity(r Record) int {
	if foreign, ok := r.Event.(*Foreign); ok {
		return int(foreign.SeverityNumber)
	}
	if e.Schema == SchemaTyped && r.Event.Failed() {
		return SeverityError
	}
	return SeverityInfo
}

// Body returns the body of a record: one short line without content, and only
// printable characters. The codex schema has none, but for a Foreign.
func (e *Encoder) Body(r Record) string {
	if _, foreign := r.Event.(*Foreign); e.Schema == SchemaCodex && !foreign {
		return ""
	}
	return line(e.clean(r.Event.Summary()))
}

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

func formatBool(b bool) string { return strconv.FormatBool(b) }

// Milliseconds returns d in whole milliseconds, never negative.
func Milliseconds(d time.Duration) int64 { return max(0, d.Milliseconds()) }
