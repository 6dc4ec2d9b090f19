package report

import (
	"encoding/base64"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// jsonAttributes reads a list of KeyValue into pairs.
func (d *logReader) jsonAttributes(pairs *[]events.Pair, dropped *uint32, list gjson.Result, depth int, problem *logProblem) {
	if list.Type == gjson.Null {
		return
	}
	if !list.IsArray() {
		*problem = problemSyntax
		return
	}
	list.ForEach(func(_, element gjson.Result) bool {
		var pair events.Pair
		eachMember(element, func(key string, v gjson.Result) {
			switch key {
			case "key":
				pair.Key = d.key(v.Str)
			case "value":
				pair.Value = d.jsonValue(v, depth, problem)
			}
		})
		*pairs = put(*pairs, pair, dropped)
		return *problem == 0
	})
}

// jsonValue reads an AnyValue. Past a limit it reads no further and says which.
func (d *logReader) jsonValue(object gjson.Result, depth int, problem *logProblem) (value events.Value) {
	if wrong := d.value(depth); wrong != 0 {
		*problem = wrong
	}
	if *problem != 0 {
		return value
	}
	eachMember(object, func(key string, v gjson.Result) {
		if v.Type == gjson.Null || *problem != 0 {
			return
		}
		switch key {
		case "stringValue":
			value = events.Value{Kind: events.ValueText, Text: d.text(v.Str)}
			d.must(v.Type == gjson.String, problem)
		case "boolValue":
			value = events.Value{Kind: events.ValueBool, Bool: v.Type == gjson.True}
			d.must(v.IsBool(), problem)
		case "intValue":
			n, err := strconv.ParseInt(numeral(v), 10, 64)
			value = events.Value{Kind: events.ValueInt, Int: n}
			d.must(err == nil, problem)
		case "doubleValue":
			// ParseFloat knows NaN and the infinities by protobuf's names.
			f, err := strconv.ParseFloat(numeral(v), 64)
			value = events.Value{Kind: events.ValueDouble, Double: f}
			d.must(err == nil, problem)
		case "bytesValue":
			raw, err := base64.StdEncoding.DecodeString(v.Str)
			value = events.Value{Kind: events.ValueBytes, Text: string(raw[:min(len(raw), events.DefaultMaxValueBytes)])}
			d.must(err == nil && v.Type == gjson.String, problem)
		case "arrayValue":
			value = events.Value{Kind: events.ValueList}
			eachMember(v, func(key string, list gjson.Result) {
				if key == "values" {
					d.jsonList(&value.List, list, depth+1, problem)
				}
			})
		case "kvlistValue":
			value = events.Value{Kind: events.ValueMap}
			eachMember(v, func(key string, list gjson.Result) {
				if key == "values" {
					d.jsonMap(&value.Map, list, depth+1, problem)
				}
			})
		}
	})
	return value
}

func (d *logReader) jsonList(list *[]events.Value, values gjson.Result, depth int, problem *logProblem) {
	values.ForEach(func(_, element gjson.Result) bool {
		*list = append(*list, d.jsonValue(element, depth, problem))
		return *problem == 0
	})
}

func (d *logReader) jsonMap(pairs *[]events.Pair, values gjson.Result, depth int, problem *logProblem) {
	var dropped uint32
	d.jsonAttributes(pairs, &dropped, values, depth, problem)
	if dropped > 0 {
		*problem = problemSize
	}
}

// must notes that a value is not what its key says.
func (*logReader) must(ok bool, problem *logProblem) {
	if !ok {
		*problem = problemSyntax
	}
}

// numeral returns the text of a number, be it in a string.
func numeral(v gjson.Result) string {
	if v.Type == gjson.String {
		return v.Str
	}
	return v.Raw
}

// jsonUint reads a number that is not negative.
func (d *logReader) jsonUint(v gjson.Result, bound uint64, problem *logProblem) uint64 {
	if v.Type == gjson.Null {
		return 0
	}
	n, err := strconv.ParseUint(numeral(v), 10, 64)
	d.must(err == nil && n <= bound, problem)
	return n
}
