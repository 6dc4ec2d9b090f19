package events

import (
	"math"
	"reflect"
	"strconv"
)

// maxExactDouble is the greatest number below which a double tells every integer.
const maxExactDouble = 1 << 53

// newEvent returns an empty event of the catalogue, nil for any other name.
func newEvent(name string) Event {
	switch name {
	case NameConversationStarts:
		return new(ConversationStarts)
	case NameUserPrompt:
		return new(UserPrompt)
	case NameToolDecision:
		return new(ToolDecision)
	case NameToolResult:
		return new(ToolResult)
	case NameAPIRequest:
		return new(APIRequest)
	case NameSSEEvent:
		return new(SSEEvent)
	case NameWebSocketConnect:
		return new(WebSocketConnect)
	case NameWebSocketRequest:
		return new(WebSocketRequest)
	case NameWebSocketEvent:
		return new(WebSocketEvent)
	default:
		return nil
	}
}

// Decode is the reverse of an [Encoder]: it returns the event of that name that
// the attributes tell, in the types of either schema and of any release of
// Codex, the common ones in scope, and those that neither has a field for, or
// not of that type, as rest. The values themselves are not judged. It reports
// false when the catalogue has no such event, or when an attribute is missing
// that the event always has.
//
// The envelope, event.name and the like, is in none of them.
func Decode(name string, attributes []Pair, scope *Scope) (event Event, rest []Pair, ok bool) {
	event = newEvent(name)
	if event == nil {
		return nil, nil, false
	}
	target := reflect.ValueOf(event)
	rest, missing := decodeStruct(target, attributes, nil)
	if missing != "" {
		return nil, nil, false
	}
	rest, _ = decodeStruct(reflect.ValueOf(scope), rest, nil)
	kept := rest[:0:0]
	for _, p := range rest {
		if !isEnvelope(p.Key) {
			kept = append(kept, p)
		}
	}
	return event, kept, true
}

// decodeStruct sets the fields of the struct that target points to. It returns
// the pairs that it has no use for, appended to rest, and the name of a field
// that must be there and is not.
func decodeStruct(target reflect.Value, pairs, rest []Pair) (left []Pair, missing string) {
	target = target.Elem()
	plan := planFor(target.Type())
	byName := make(map[string]*Value, len(pairs))
	for i := range pairs {
		byName[pairs[i].Key] = &pairs[i].Value
	}
	used := make(map[string]bool, len(plan))
	for _, f := range plan {
		if !embeddedWhole(plan, f, byName) {
			continue
		}
		value, has := byName[f.name]
		if has && decodeField(fieldForSet(target, f.index), f.kind, *value) {
			used[f.name] = true
			continue
		}
		if !f.optional() {
			return nil, f.name
		}
	}
	for _, p := range pairs {
		if !used[p.Key] {
			rest = append(rest, p)
		}
	}
	return rest, ""
}

// embeddedWhole reports whether the embedded struct that a field is in, if it is
// in one, has all that it must have.
func embeddedWhole(plan []field, of field, byName map[string]*Value) bool {
	if len(of.index) == 1 {
		return true
	}
	for _, f := range plan {
		if len(f.index) > 1 && f.index[0] == of.index[0] && !f.optional() && byName[f.name] == nil {
			return false
		}
	}
	return true
}

// optional reports whether the attribute of the field may be absent.
func (f field) optional() bool { return f.omit || f.kind >= kindOptString }

// fieldForSet returns a field, making the embedded struct it is in.
func fieldForSet(v reflect.Value, index []int) reflect.Value {
	for depth, i := range index {
		if depth > 0 {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v
}

// decodeField sets a field and reports whether the value is one for it.
func decodeField(target reflect.Value, kind fieldKind, v Value) bool {
	set := target
	if kind >= kindOptString {
		set = target.Field(0)
	}
	switch kind {
	case kindString, kindOptString:
		if v.Kind != ValueText && v.Kind != ValueInt {
			return false
		}
		set.SetString(v.String())
	case kindInt, kindOptInt:
		n, ok := v.integer()
		if !ok {
			return false
		}
		set.SetInt(n)
	case kindOptDouble:
		n, ok := v.number()
		if !ok {
			return false
		}
		set.SetFloat(n)
	default:
		b, ok := v.truth()
		if !ok {
			return false
		}
		set.SetBool(b)
	}
	if kind >= kindOptString {
		target.Field(1).SetBool(true)
	}
	return true
}

// integer returns the integer that a value tells, be it in decimal digits.
func (v Value) integer() (int64, bool) {
	switch v.Kind {
	case ValueInt:
		return v.Int, true
	case ValueText:
		n, err := strconv.ParseInt(v.Text, 10, 64)
		return n, err == nil
	case ValueDouble:
		exact := v.Double == math.Trunc(v.Double) && math.Abs(v.Double) <= maxExactDouble
		if !exact {
			return 0, false
		}
		return int64(v.Double), true
	default:
		return 0, false
	}
}

// number returns the number that a value tells.
func (v Value) number() (float64, bool) {
	switch v.Kind {
	case ValueInt:
		return float64(v.Int), true
	case ValueDouble:
		return v.Double, true
	default:
		return 0, false
	}
}

// truth returns the boolean that a value tells, be it in words.
func (v Value) truth() (told, ok bool) {
	switch {
	case v.Kind == ValueBool:
		return v.Bool, true
	case v.Kind == ValueText && (v.Text == "true" || v.Text == "false"):
		return v.Text == "true", true
	default:
		return false, false
	}
}

// isCommon reports whether a key is one of a scope.
func isCommon(key string) bool {
	for _, f := range planFor(reflect.TypeFor[Scope]()) {
		if f.name == key {
			return true
		}
	}
	return false
}

// DecodeScope sets the fields of scope that the attributes tell.
func DecodeScope(attributes []Pair, scope *Scope) {
	_, _ = decodeStruct(reflect.ValueOf(scope), attributes, nil)
}

// Catalogued reports whether the catalogue gives a key on that event a meaning.
func Catalogued(event Event, key string) bool {
	if isEnvelope(key) || isCommon(key) {
		return true
	}
	for _, f := range planFor(reflect.TypeOf(event).Elem()) {
		if f.name == key {
			return true
		}
	}
	return false
}
