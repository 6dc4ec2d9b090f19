package events

import (
	"math"
	"testing"
)

func TestValueString(t *testing.T) {
	for want, v := range map[string]Value{
		"":                          {},
		"a\"b":                      {Kind: ValueText, Text: "a\"b"},
		"-7":                        {Kind: ValueInt, Int: -7},
		"true":                      {Kind: ValueBool, Bool: true},
		"1.5":                       {Kind: ValueDouble, Double: 1.5},
		"NaN":                       {Kind: ValueDouble, Double: math.NaN()},
		"AP8=":                      {Kind: ValueBytes, Text: "\x00\xff"},
		`["a",1,null,{"k":"AP8="}]`: {Kind: ValueList, List: []Value{{Kind: ValueText, Text: "a"}, {Kind: ValueInt, Int: 1}, {}, {Kind: ValueMap, Map: []Pair{{Key: "k", Value: Value{Kind: ValueBytes, Text: "\x00\xff"}}}}}},
		`["+Inf"]`:                  {Kind: ValueList, List: []Value{{Kind: ValueDouble, Double: math.Inf(1)}}},
		`{"a":"x","b":[true]}`:      {Kind: ValueMap, Map: []Pair{TextPair("a", "x"), {Key: "b", Value: Value{Kind: ValueList, List: []Value{{Kind: ValueBool, Bool: true}}}}}},
	} {
		if got := v.String(); got != want {
			t.Errorf("String() = %s; want %s", got, want)
		}
	}
}
