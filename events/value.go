package events

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
)

// ValueKind is the type of a Value.
type ValueKind uint8

// The types that an OTLP attribute or body may have.
const (
	ValueEmpty ValueKind = iota
	ValueText
	ValueBool
	ValueInt
	ValueDouble
	ValueBytes
	ValueList
	ValueMap
)

// Value is an AnyValue of opentelemetry.proto.common.v1: whatever a log record
// may hold that the catalogue does not have. The zero Value is the empty one.
type Value struct {
	Kind   ValueKind
	Bool   bool
	Text   string // of a ValueText; the bytes of a ValueBytes
	Int    int64
	Double float64
	List   []Value
	Map    []Pair // in the order of the record
}

// Pair is a key with its value: a KeyValue of opentelemetry.proto.common.v1.
type Pair struct {
	Key   string
	Value Value
}

// TextPair returns a Pair with a string.
func TextPair(key, text string) Pair {
	return Pair{Key: key, Value: Value{Kind: ValueText, Text: text}}
}

// pairOverhead is about what a Pair takes beside its strings.
const pairOverhead = 128

// bytes returns about how much memory v takes beside itself.
func (v Value) bytes() int {
	n := len(v.Text) + pairOverhead*len(v.List)
	for _, element := range v.List {
		n += element.bytes()
	}
	return n + PairBytes(v.Map)
}

// PairBytes returns about how much memory pairs take.
func PairBytes(pairs []Pair) int {
	n := pairOverhead * len(pairs)
	for _, p := range pairs {
		n += len(p.Key) + p.Value.bytes()
	}
	return n
}

// String returns the value as text: a string as it is, anything else as JSON,
// bytes in base64.
func (v Value) String() string {
	switch v.Kind {
	case ValueText:
		return v.Text
	case ValueBytes:
		return base64.StdEncoding.EncodeToString([]byte(v.Text))
	case ValueInt:
		return strconv.FormatInt(v.Int, 10)
	case ValueBool:
		return strconv.FormatBool(v.Bool)
	case ValueDouble:
		return strconv.FormatFloat(v.Double, 'g', -1, 64)
	case ValueEmpty:
		return ""
	default:
		text, err := json.Marshal(v.plain())
		if err != nil {
			return "" // Not reached: plain has only what JSON has.
		}
		return string(text)
	}
}

// plain returns the value as encoding/json takes it. JSON has no infinities.
func (v Value) plain() any {
	switch v.Kind {
	case ValueInt:
		return v.Int
	case ValueBool:
		return v.Bool
	case ValueDouble:
		if math.IsNaN(v.Double) || math.IsInf(v.Double, 0) {
			return strconv.FormatFloat(v.Double, 'g', -1, 64)
		}
		return v.Double
	case ValueList:
		list := make([]any, len(v.List))
		for i, element := range v.List {
			list[i] = element.plain()
		}
		return list
	case ValueMap:
		members := make(map[string]any, len(v.Map))
		for _, p := range v.Map {
			members[p.Key] = p.Value.plain()
		}
		return members
	case ValueEmpty:
		return nil
	default:
		return v.String()
	}
}
