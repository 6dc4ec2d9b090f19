package report

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/codex-proxy/codex-proxy/events"
)

// copyID copies an id of the right length; any other is invalid and as good as
// none, says the specification.
func copyID(id, raw []byte) {
	if len(raw) == len(id) {
		copy(id, raw)
	}
}

// protoAttribute reads a KeyValue into pairs.
func (d *logReader) protoAttribute(pairs *[]events.Pair, dropped *uint32, message []byte, depth int, problem *logProblem) error {
	var pair events.Pair
	err := eachField(message, func(f wireField) (err error) {
		switch {
		case f.is(1, protowire.BytesType): // key
			pair.Key = d.key(string(f.bytes))
		case f.is(2, protowire.BytesType): // value
			pair.Value, err = d.protoValue(f.bytes, depth, problem)
		}
		return err
	})
	*pairs = put(*pairs, pair, dropped)
	return err
}

// protoValue reads an AnyValue. Past a limit it reads no further and says which.
func (d *logReader) protoValue(message []byte, depth int, problem *logProblem) (value events.Value, err error) {
	if wrong := d.value(depth); wrong != 0 {
		*problem = wrong
	}
	if *problem != 0 {
		return events.Value{}, nil
	}
	err = eachField(message, func(f wireField) error {
		switch {
		case f.is(1, protowire.BytesType): // string_value
			value = events.Value{Kind: events.ValueText, Text: d.text(string(f.bytes))}
		case f.is(2, protowire.VarintType): // bool_value
			value = events.Value{Kind: events.ValueBool, Bool: f.whole != 0}
		case f.is(3, protowire.VarintType): // int_value
			value = events.Value{Kind: events.ValueInt, Int: int64(f.whole)} //nolint:gosec // Varints carry the two's complement.
		case f.is(4, protowire.Fixed64Type): // double_value
			value = events.Value{Kind: events.ValueDouble, Double: math.Float64frombits(f.whole)}
		case f.is(5, protowire.BytesType): // array_value
			value = events.Value{Kind: events.ValueList}
			return d.protoList(&value.List, f.bytes, depth+1, problem)
		case f.is(6, protowire.BytesType): // kvlist_value
			value = events.Value{Kind: events.ValueMap}
			return d.protoMap(&value.Map, f.bytes, depth+1, problem)
		case f.is(7, protowire.BytesType): // bytes_value
			value = events.Value{Kind: events.ValueBytes, Text: string(f.bytes[:min(len(f.bytes), events.DefaultMaxValueBytes)])}
		}
		return nil
	})
	return value, err
}

func (d *logReader) protoList(list *[]events.Value, message []byte, depth int, problem *logProblem) error {
	return eachField(message, func(f wireField) error {
		if !f.is(1, protowire.BytesType) || *problem != 0 {
			return nil
		}
		element, err := d.protoValue(f.bytes, depth, problem)
		*list = append(*list, element)
		return err
	})
}

func (d *logReader) protoMap(pairs *[]events.Pair, message []byte, depth int, problem *logProblem) error {
	var dropped uint32
	err := eachField(message, func(f wireField) error {
		if !f.is(1, protowire.BytesType) || *problem != 0 {
			return nil
		}
		return d.protoAttribute(pairs, &dropped, f.bytes, depth, problem)
	})
	if dropped > 0 {
		*problem = problemSize
	}
	return err
}
