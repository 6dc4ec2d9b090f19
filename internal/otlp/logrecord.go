package otlp

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of opentelemetry/proto/{collector/logs,logs,resource,common}/v1.
const (
	fieldResourceLogs protowire.Number = 1 // ExportLogsServiceRequest

	fieldResource  protowire.Number = 1 // ResourceLogs
	fieldScopeLogs protowire.Number = 2

	fieldResourceAttribute protowire.Number = 1 // Resource

	fieldScope     protowire.Number = 1 // ScopeLogs
	fieldLogRecord protowire.Number = 2

	fieldScopeName    protowire.Number = 1 // InstrumentationScope
	fieldScopeVersion protowire.Number = 2

	fieldTime         protowire.Number = 1 // LogRecord
	fieldSeverity     protowire.Number = 2
	fieldSeverityText protowire.Number = 3
	fieldBody         protowire.Number = 5
	fieldAttribute    protowire.Number = 6
	fieldDroppedAttrs protowire.Number = 7
	fieldObservedTime protowire.Number = 11
	fieldEventName    protowire.Number = 12

	fieldKey   protowire.Number = 1 // KeyValue
	fieldValue protowire.Number = 2

	fieldStringValue protowire.Number = 1 // AnyValue
	fieldBoolValue   protowire.Number = 2
	fieldIntValue    protowire.Number = 3
	fieldDoubleValue protowire.Number = 4
)

// head is what a log record has beside its attributes.
type head struct {
	at, observed time.Time
	severity     log.Severity
	severityText string
	name         string
	body         attribute.Value
	dropped      int // attributes that the SDK left out
}

// appendSDKRecord appends r as an opentelemetry.proto.logs.v1.LogRecord.
func appendSDKRecord(dst []byte, r *sdklog.Record) []byte {
	dst = appendHead(dst, head{
		at:           r.Timestamp(),
		observed:     r.ObservedTimestamp(),
		severity:     r.Severity(),
		severityText: r.SeverityText(),
		name:         r.EventName(),
		body:         r.Body(),
		dropped:      r.DroppedAttributes(),
	})
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		dst = appendKeyValue(dst, fieldAttribute, kv)
		return true
	})
	return dst
}

// appendRecord appends the LogRecord that appendSDKRecord would, had the SDK
// made a record of the same.
func appendRecord(dst []byte, h head, attrs []attribute.KeyValue) []byte {
	dst = appendHead(dst, h)
	for _, kv := range attrs {
		dst = appendKeyValue(dst, fieldAttribute, kv)
	}
	return dst
}

// appendHead appends all fields but the attributes. Zero fields are left out;
// trace and span ids are never set, since no span of the agent's is known.
func appendHead(dst []byte, h head) []byte {
	dst = appendFixed64(dst, fieldTime, unixNano(h.at))
	dst = appendFixed64(dst, fieldObservedTime, unixNano(h.observed))
	if h.severity > 0 {
		dst = protowire.AppendTag(dst, fieldSeverity, protowire.VarintType)
		dst = protowire.AppendVarint(dst, uint64(h.severity))
	}
	dst = appendString(dst, fieldSeverityText, h.severityText)
	dst = appendString(dst, fieldEventName, h.name)
	if h.body.Type() != attribute.EMPTY {
		dst = appendPlainValue(dst, fieldBody, plainValue(h.body))
	}
	if h.dropped > 0 {
		dst = protowire.AppendTag(dst, fieldDroppedAttrs, protowire.VarintType)
		dst = protowire.AppendVarint(dst, uint64(h.dropped))
	}
	return dst
}

// appendResource appends the field ResourceLogs.resource.
func appendResource(dst []byte, attrs []attribute.KeyValue) []byte {
	var resource []byte
	for _, kv := range attrs {
		resource = appendKeyValue(resource, fieldResourceAttribute, kv)
	}
	return appendBytes(dst, fieldResource, resource)
}

// appendScope appends the field ScopeLogs.scope.
func appendScope(dst []byte, name, version string) []byte {
	scope := appendString(nil, fieldScopeName, name)
	scope = appendString(scope, fieldScopeVersion, version)
	return appendBytes(dst, fieldScope, scope)
}

func appendKeyValue(dst []byte, field protowire.Number, kv attribute.KeyValue) []byte {
	key := validUTF8(string(kv.Key))
	value := plainValue(kv.Value)
	size := sizeBytesField(fieldKey, len(key)) + sizeBytesField(fieldValue, sizeAnyValue(value))
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(size)) //nolint:gosec // A size is never negative.
	dst = protowire.AppendTag(dst, fieldKey, protowire.BytesType)
	dst = protowire.AppendString(dst, key)
	return appendPlainValue(dst, fieldValue, value)
}

// plain is a value that AnyValue has a scalar for.
type plain struct {
	kind  protowire.Number
	text  string
	whole uint64 // the bits of an int, a bool or a double
}

// plainValue returns v as a scalar. The catalogue has strings, ints and bools
// only; whatever else an SDK value may be is written as its text.
func plainValue(v attribute.Value) plain {
	switch v.Type() {
	case attribute.STRING:
		return plain{kind: fieldStringValue, text: validUTF8(v.AsString())}
	case attribute.INT64:
		return plain{kind: fieldIntValue, whole: uint64(v.AsInt64())} //nolint:gosec // Varints carry the two's complement.
	case attribute.BOOL:
		return plain{kind: fieldBoolValue, whole: protowire.EncodeBool(v.AsBool())}
	case attribute.FLOAT64:
		return plain{kind: fieldDoubleValue, whole: math.Float64bits(v.AsFloat64())}
	default:
		return plain{kind: fieldStringValue, text: validUTF8(v.String())}
	}
}

func sizeAnyValue(v plain) int {
	switch v.kind {
	case fieldStringValue:
		return sizeBytesField(v.kind, len(v.text))
	case fieldDoubleValue:
		return protowire.SizeTag(v.kind) + protowire.SizeFixed64()
	default:
		return protowire.SizeTag(v.kind) + protowire.SizeVarint(v.whole)
	}
}

func appendPlainValue(dst []byte, field protowire.Number, v plain) []byte {
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(sizeAnyValue(v))) //nolint:gosec // A size is never negative.
	switch v.kind {
	case fieldStringValue:
		dst = protowire.AppendTag(dst, v.kind, protowire.BytesType)
		return protowire.AppendString(dst, v.text)
	case fieldDoubleValue:
		dst = protowire.AppendTag(dst, v.kind, protowire.Fixed64Type)
		return protowire.AppendFixed64(dst, v.whole)
	default:
		dst = protowire.AppendTag(dst, v.kind, protowire.VarintType)
		return protowire.AppendVarint(dst, v.whole)
	}
}

func appendFixed64(dst []byte, field protowire.Number, v uint64) []byte {
	if v == 0 {
		return dst
	}
	dst = protowire.AppendTag(dst, field, protowire.Fixed64Type)
	return protowire.AppendFixed64(dst, v)
}

func appendString(dst []byte, field protowire.Number, s string) []byte {
	if s == "" {
		return dst
	}
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	return protowire.AppendString(dst, validUTF8(s))
}

func appendBytes(dst []byte, field protowire.Number, b []byte) []byte {
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	return protowire.AppendBytes(dst, b)
}

// sizeBytesField is the size of a length-delimited field with n bytes in it.
func sizeBytesField(field protowire.Number, n int) int {
	return protowire.SizeTag(field) + protowire.SizeBytes(n)
}

// validUTF8 returns s without invalid bytes. The events encoder has repaired
// its values already, but keys, names and OTEL_RESOURCE_ATTRIBUTES do not pass
// through it, and one bad byte makes a collector refuse the whole batch.
func validUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// unixNano returns t in OTLP's unit, or 0 (absent) for a time that the unit
// cannot tell: before 1970 or after 2262.
func unixNano(t time.Time) uint64 {
	if seconds := t.Unix(); seconds < 0 || seconds >= math.MaxInt64/int64(time.Second) {
		return 0
	}
	return uint64(t.UnixNano())
}
