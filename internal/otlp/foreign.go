package otlp

import (
	"math"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// Field numbers that only foreign records use.
const (
	fieldResourceDropped protowire.Number = 2 // Resource
	fieldSchemaURL       protowire.Number = 3 // ResourceLogs, ScopeLogs
	fieldScopeAttribute  protowire.Number = 3 // InstrumentationScope
	fieldScopeDropped    protowire.Number = 4
	fieldFlags           protowire.Number = 8 // LogRecord
	fieldTraceID         protowire.Number = 9
	fieldSpanID          protowire.Number = 10
	fieldArrayValue      protowire.Number = 5 // AnyValue
	fieldMapValue        protowire.Number = 6
	fieldBytesValue      protowire.Number = 7
	fieldListElement     protowire.Number = 1 // ArrayValue, KeyValueList
)

// maxForeignGroups bounds the resources and scopes of foreign records that are
// remembered. One past it costs a group of its own in the batch.
const maxForeignGroups = 64

// foreigners is the way of foreign records into the open batch: under their own
// resource and scope, past the SDK, which would set what they leave out.
type foreigners struct {
	batcher *batcher

	mu     sync.Mutex
	groups map[string]*group // by encoded resource and scope
}

func newForeigners(b *batcher) *foreigners {
	return &foreigners{batcher: b, groups: make(map[string]*group)}
}

// add encodes a record. Its strings were made valid when it was read.
func (s *foreigners) add(r events.Record, f *events.Foreign) {
	record := appendForeign(nil, f, f.Told(r))
	s.batcher.add(s.group(f.Origin), record, outbox.EventName(record), outbox.IsDelta(record))
}

// group returns the group of an origin, which is compared by value.
func (s *foreigners) group(o *events.Origin) *group {
	resource := appendOriginResource(nil, o)
	scope := appendOriginScope(nil, o)
	key := string(appendBytes(appendBytes(nil, fieldResource, resource), fieldScope, scope))
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.groups[key]; ok {
		return known
	}
	if len(s.groups) >= maxForeignGroups {
		clear(s.groups)
	}
	g := &group{resource: resource, scope: scope}
	s.groups[key] = g
	return g
}

// appendForeign appends f as an opentelemetry.proto.logs.v1.LogRecord with those
// attributes.
func appendForeign(dst []byte, f *events.Foreign, attributes []events.Pair) []byte {
	dst = appendFixed64(dst, fieldTime, f.TimeUnixNano)
	dst = appendFixed64(dst, fieldObservedTime, f.ObservedUnixNano)
	dst = appendVarint(dst, fieldSeverity, uint64(int64(f.SeverityNumber))) //nolint:gosec // Varints carry the two's complement.
	dst = appendString(dst, fieldSeverityText, f.SeverityText)
	if f.Body.Kind != events.ValueEmpty {
		dst = appendBytes(dst, fieldBody, appendAnyValue(nil, f.Body))
	}
	dst = appendPairs(dst, fieldAttribute, attributes)
	dst = appendVarint(dst, fieldDroppedAttrs, uint64(f.Dropped))
	if f.Flags != 0 {
		dst = protowire.AppendTag(dst, fieldFlags, protowire.Fixed32Type)
		dst = protowire.AppendFixed32(dst, f.Flags)
	}
	if f.TraceID != [16]byte{} {
		dst = appendBytes(dst, fieldTraceID, f.TraceID[:])
	}
	if f.SpanID != [8]byte{} {
		dst = appendBytes(dst, fieldSpanID, f.SpanID[:])
	}
	return appendString(dst, fieldEventName, f.RecordName)
}

// appendOriginResource appends the fields of ResourceLogs beside its records.
func appendOriginResource(dst []byte, o *events.Origin) []byte {
	resource := appendPairs(nil, fieldResourceAttribute, o.Resource)
	resource = appendVarint(resource, fieldResourceDropped, uint64(o.ResourceDropped))
	dst = appendBytes(dst, fieldResource, resource)
	return appendString(dst, fieldSchemaURL, o.ResourceSchemaURL)
}

// appendOriginScope appends the fields of ScopeLogs beside its records.
func appendOriginScope(dst []byte, o *events.Origin) []byte {
	scope := appendString(nil, fieldScopeName, o.ScopeName)
	scope = appendString(scope, fieldScopeVersion, o.ScopeVersion)
	scope = appendPairs(scope, fieldScopeAttribute, o.ScopeAttributes)
	scope = appendVarint(scope, fieldScopeDropped, uint64(o.ScopeDropped))
	dst = appendBytes(dst, fieldScope, scope)
	return appendString(dst, fieldSchemaURL, o.ScopeSchemaURL)
}

func appendPairs(dst []byte, field protowire.Number, pairs []events.Pair) []byte {
	for _, p := range pairs {
		kv := appendString(nil, fieldKey, p.Key)
		kv = appendBytes(kv, fieldValue, appendAnyValue(nil, p.Value))
		dst = appendBytes(dst, field, kv)
	}
	return dst
}

// appendAnyValue appends v as an opentelemetry.proto.common.v1.AnyValue. An empty
// string is a value, an empty value is not.
func appendAnyValue(dst []byte, v events.Value) []byte {
	switch v.Kind {
	case events.ValueText:
		return appendBytes(dst, fieldStringValue, []byte(validUTF8(v.Text)))
	case events.ValueBytes:
		return appendBytes(dst, fieldBytesValue, []byte(v.Text))
	case events.ValueBool:
		dst = protowire.AppendTag(dst, fieldBoolValue, protowire.VarintType)
		return protowire.AppendVarint(dst, protowire.EncodeBool(v.Bool))
	case events.ValueInt:
		dst = protowire.AppendTag(dst, fieldIntValue, protowire.VarintType)
		return protowire.AppendVarint(dst, uint64(v.Int)) //nolint:gosec // Varints carry the two's complement.
	case events.ValueDouble:
		dst = protowire.AppendTag(dst, fieldDoubleValue, protowire.Fixed64Type)
		return protowire.AppendFixed64(dst, math.Float64bits(v.Double))
	case events.ValueList:
		var list []byte
		for _, element := range v.List {
			list = appendBytes(list, fieldListElement, appendAnyValue(nil, element))
		}
		return appendBytes(dst, fieldArrayValue, list)
	case events.ValueMap:
		return appendBytes(dst, fieldMapValue, appendPairs(nil, fieldListElement, v.Map))
	default:
		return dst
	}
}

func appendVarint(dst []byte, field protowire.Number, v uint64) []byte {
	if v == 0 {
		return dst
	}
	dst = protowire.AppendTag(dst, field, protowire.VarintType)
	return protowire.AppendVarint(dst, v)
}
