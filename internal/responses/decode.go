package responses

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tidwall/gjson"
)

// object is a Rust struct that Codex decodes from JSON with serde, as far as
// its errors need it.
type object struct {
	name    string
	members []member
}

// member is a field of an [object].
type member struct {
	name     string
	kind     kindOf
	of       *object // of a member of kind isObject
	optional bool    // an Option: may be null or missing
	implied  bool    // has a default: may be missing, also from the end of a list
}

// kindOf is the type of a member.
type kindOf uint8

const (
	isString kindOf = iota
	isUnsigned
	isSigned
	isBool
	isPlan
	isObject
)

// decoding decodes values that serde_json has read before, so that its errors
// name no place in the text.
type decoding struct{ numbers numbers }

// object returns what serde says when it decodes value into o, "" when it can.
func (d decoding) object(o *object, value gjson.Result) string {
	switch {
	case value.IsArray():
		return d.list(o, value.Array())
	case !value.IsObject():
		return "invalid type: " + d.unexpected(value) + ", expected struct " + o.name
	}
	// Of members with the same name, the last counts at the place of the first.
	var order []int
	values := make([]gjson.Result, len(o.members))
	value.ForEach(func(key, value gjson.Result) bool {
		at := slices.IndexFunc(o.members, func(m member) bool { return m.name == key.Str })
		if at < 0 {
			return true
		}
		if !values[at].Exists() {
			order = append(order, at)
		}
		values[at] = value
		return true
	})
	for _, at := range order {
		if text := d.member(o.members[at], values[at]); text != "" {
			return text
		}
	}
	for at, m := range o.members {
		if !m.optional && !m.implied && !values[at].Exists() {
			return "missing field `" + m.name + "`"
		}
	}
	return ""
}

// list decodes an object that was written as the list of its members.
func (d decoding) list(o *object, values []gjson.Result) string {
	for at, m := range o.members {
		switch {
		case at < len(values):
			if text := d.member(m, values[at]); text != "" {
				return text
			}
		case !m.implied:
			return "invalid length " + strconv.Itoa(at) + ", expected struct " + o.name +
				" with " + strconv.Itoa(len(o.members)) + " elements"
		}
	}
	if len(values) > len(o.members) {
		return "invalid length " + strconv.Itoa(len(values)) + ", expected fewer elements in array"
	}
	return ""
}

func (d decoding) member(m member, value gjson.Result) string {
	if m.optional && value.Type == gjson.Null {
		return ""
	}
	var expected string
	switch m.kind {
	case isObject:
		return d.object(m.of, value)
	case isPlan:
		if value.Type == gjson.String {
			return ""
		}
		return "data did not match any variant of untagged enum PlanType"
	case isUnsigned, isSigned:
		if value.Type == gjson.Number {
			return d.integer(m.kind, value)
		}
		expected = integerName(m.kind)
	case isBool:
		if value.IsBool() {
			return ""
		}
		expected = "a boolean"
	default:
		if value.Type == gjson.String {
			return ""
		}
		expected = "a string"
	}
	return "invalid type: " + d.unexpected(value) + ", expected " + expected
}

func integerName(kind kindOf) string {
	if kind == isUnsigned {
		return "u64"
	}
	return "i64"
}

// integer decodes a number into an integer of 64 bits.
func (d decoding) integer(kind kindOf, value gjson.Result) string {
	expected := ", expected " + integerName(kind)
	if d.numbers != numbersExact {
		if unexpected := d.unexpected(value); !strings.HasPrefix(unexpected, "integer") {
			return "invalid type: " + unexpected + expected
		}
	}
	var err error
	if kind == isUnsigned {
		_, err = strconv.ParseUint(value.Raw, 10, 64)
	} else {
		_, err = strconv.ParseInt(value.Raw, 10, 64)
	}
	switch {
	case err == nil:
		return ""
	case d.numbers == numbersExact:
		return invalidNumber
	default:
		return "invalid value: " + d.unexpected(value) + expected
	}
}

// unexpected names a value that should have been another.
func (d decoding) unexpected(value gjson.Result) string {
	switch {
	case value.Type == gjson.Null:
		return "null"
	case value.IsBool():
		return "boolean `" + value.Raw + "`"
	case value.Type == gjson.String:
		return "string " + debugText(value.Str)
	case value.IsArray():
		return "sequence"
	case value.IsObject():
		return "map"
	case d.numbers == numbersExact:
		return "number"
	}
	text := compact([]byte(value.Raw), d.numbers)
	if strings.ContainsAny(text, ".e") {
		return "floating point `" + text + "`"
	}
	return "integer `" + text + "`"
}

// debugText writes a string as Rust does for programmers.
func debugText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == 0:
			b.WriteString(`\0`)
		case unicode.IsPrint(r) && !unicode.In(r, unicode.Mn, unicode.Me):
			b.WriteRune(r)
		default:
			b.WriteString(`\u{` + strconv.FormatInt(int64(r), 16) + "}")
		}
	}
	b.WriteByte('"')
	return b.String()
}
