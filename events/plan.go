package events

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
)

// field says how one struct field becomes an attribute.
type field struct {
	index  []int
	name   string
	kind   fieldKind
	omit   bool // absent when it is the zero value
	asText bool // a string in the codex schema
	tag    reflect.StructTag
}

type fieldKind uint8

const (
	kindString fieldKind = iota
	kindInt
	kindBool
	kindBoolText // a bool told as "true" or "false"
	kindOptString
	kindOptInt
	kindOptBool
	kindOptDouble
)

// plans caches the fields of each struct type; the set of types is fixed, so
// the cache is bounded.
var plans sync.Map // reflect.Type → []field

// planFor returns the attributes of a struct type in declaration order. It
// panics on a field type it does not know: a mistake in the catalogue, which
// the tests find by encoding every event.
func planFor(t reflect.Type) []field {
	if cached, ok := plans.Load(t); ok {
		return cached.([]field) // Only this function stores.
	}
	plan := appendFields(nil, t, nil)
	plans.Store(t, plan)
	return plan
}

func appendFields(plan []field, t reflect.Type, prefix []int) []field {
	for i := range t.NumField() {
		structField := t.Field(i)
		index := append(append([]int(nil), prefix...), i)
		if structField.Anonymous && structField.Type.Kind() == reflect.Pointer {
			plan = appendFields(plan, structField.Type.Elem(), index)
			continue
		}
		tag, ok := structField.Tag.Lookup("attr")
		if !ok {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		plan = append(plan, field{
			index:  index,
			name:   name,
			kind:   kindOf(structField, options),
			omit:   strings.Contains(options, "omitempty"),
			asText: structField.Tag.Get("codex") == "string",
			tag:    structField.Tag,
		})
	}
	return plan
}

func kindOf(f reflect.StructField, options string) fieldKind {
	switch reflect.Zero(f.Type).Interface().(type) {
	case string:
		return kindString
	case int64:
		return kindInt
	case bool:
		if strings.Contains(options, "bool-string") {
			return kindBoolText
		}
		return kindBool
	case Opt[string]:
		return kindOptString
	case Opt[int64]:
		return kindOptInt
	case Opt[bool]:
		return kindOptBool
	case Opt[float64]:
		return kindOptDouble
	default:
		panic(fmt.Sprintf("events: field %s has unsupported type %s", f.Name, f.Type))
	}
}

// appendStruct appends the attributes of the struct that v points to.
func (e *Encoder) appendStruct(dst []attribute.KeyValue, v reflect.Value) []attribute.KeyValue {
	v = v.Elem()
	for _, f := range planFor(v.Type()) {
		value, ok := fieldByIndex(v, f.index)
		if !ok {
			continue
		}
		dst = e.appendField(dst, f, value)
	}
	return dst
}

// fieldByIndex is reflect.Value.FieldByIndex that reports a nil embedded
// pointer instead of panicking.
func fieldByIndex(v reflect.Value, index []int) (reflect.Value, bool) {
	for depth, i := range index {
		if depth > 0 {
			if v.IsNil() {
				return reflect.Value{}, false
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, true
}

func (e *Encoder) appendField(dst []attribute.KeyValue, f field, v reflect.Value) []attribute.KeyValue {
	if f.kind >= kindOptString {
		if !v.Field(1).Bool() {
			return dst
		}
		v = v.Field(0)
	}
	switch f.kind {
	case kindString, kindOptString:
		s := v.String()
		if s == "" && f.omit {
			return dst
		}
		return append(dst, attribute.String(f.name, e.clean(s)))
	case kindInt, kindOptInt:
		if f.asText && e.Schema == SchemaCodex {
			return append(dst, attribute.String(f.name, formatInt(v.Int())))
		}
		return append(dst, attribute.Int64(f.name, v.Int()))
	case kindBoolText:
		return append(dst, attribute.String(f.name, formatBool(v.Bool())))
	case kindOptDouble:
		return append(dst, attribute.Float64(f.name, v.Float()))
	default:
		return append(dst, attribute.Bool(f.name, v.Bool()))
	}
}
