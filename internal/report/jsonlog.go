package report

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// readJSON reads an ExportLogsServiceRequest in OTLP/JSON: protobuf's mapping
// with lower camel case keys, ids in hex and 64-bit numbers as strings or not
// (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"). Members that are
// not known are left out, null is as good as absent.
func (d *logReader) readJSON(body []byte) error {
	// The check is that of encoding/json because it bounds the depth.
	if err := json.Unmarshal(body, &wellFormed{}); err != nil {
		return syntaxRefusal(err)
	}
	request := gjson.ParseBytes(body)
	if !request.IsObject() {
		return errBroken("JSON: an object")
	}
	return eachElement(request, "resourceLogs", func(resourceLogs gjson.Result) error {
		from := logOrigin{}
		own := map[string]gjson.Result{}
		eachMember(resourceLogs, func(key string, v gjson.Result) { own[key] = v })
		resource, schema := own["resource"], own["schemaUrl"]
		from.told = [2][]byte{[]byte(resource.Raw), []byte(schema.Raw)}
		if from.problem = tooLong(len(resource.Raw) + len(schema.Raw)); from.problem == 0 {
			d.jsonResource(&from, resource)
			from.origin.ResourceSchemaURL = d.text(schema.Str)
		}
		return eachElement(resourceLogs, "scopeLogs", func(scopeLogs gjson.Result) error {
			return d.jsonScopeLogs(scopeLogs, &from)
		})
	})
}

// eachElement calls visit with the objects of a list that is a member of parent.
func eachElement(parent gjson.Result, key string, visit func(gjson.Result) error) error {
	var list gjson.Result
	eachMember(parent, func(name string, v gjson.Result) {
		if name == key {
			list = v
		}
	})
	if list.Type == gjson.Null {
		return nil
	}
	if !list.IsArray() {
		return errBroken("JSON: a list in " + key)
	}
	var err error
	list.ForEach(func(_, element gjson.Result) bool {
		if !element.IsObject() {
			err = errBroken("JSON: objects in " + key)
		} else {
			err = visit(element)
		}
		return err == nil
	})
	return err
}

// eachMember calls visit with the members of an object, and not at all for any
// other value.
func eachMember(object gjson.Result, visit func(key string, v gjson.Result)) {
	if !object.IsObject() {
		return
	}
	object.ForEach(func(key, v gjson.Result) bool {
		visit(key.Str, v)
		return true
	})
}

func (d *logReader) jsonResource(from *logOrigin, resource gjson.Result) {
	d.recordValues = maxRecordValues
	eachMember(resource, func(key string, v gjson.Result) {
		switch key {
		case "attributes":
			d.jsonAttributes(&from.origin.Resource, &from.origin.ResourceDropped, v, 0, &from.problem)
		case "droppedAttributesCount":
			from.origin.ResourceDropped += uint32(d.jsonUint(v, math.MaxUint32, &from.problem)) //nolint:gosec // It is bounded.
		}
	})
}

func (d *logReader) jsonScopeLogs(scopeLogs gjson.Result, outer *logOrigin) error {
	var from logOrigin
	var origin *events.Origin
	return eachElement(scopeLogs, "logRecords", func(v gjson.Result) error {
		if origin == nil {
			from = d.jsonScope(outer, scopeLogs)
			origin = new(from.origin)
		}
		if err := d.open(); err != nil {
			return err
		}
		record, problem := &events.Foreign{Origin: origin}, from.problem
		if problem == 0 && len(v.Raw) > d.maxRecordBytes {
			problem = problemSize
		}
		if problem == 0 {
			d.jsonRecord(record, v, &problem)
		}
		d.add(record, from.digest, []byte(v.Raw), problem)
		return nil
	})
}

func (d *logReader) jsonScope(outer *logOrigin, scopeLogs gjson.Result) logOrigin {
	var scope, schema gjson.Result
	eachMember(scopeLogs, func(key string, v gjson.Result) {
		switch key {
		case "scope":
			scope = v
		case "schemaUrl":
			schema = v
		}
	})
	from := outer.inScope([]byte(scope.Raw), []byte(schema.Raw))
	if from.problem != 0 {
		return from
	}
	d.recordValues = maxRecordValues
	from.origin.ScopeSchemaURL = d.text(schema.Str)
	eachMember(scope, func(key string, v gjson.Result) {
		switch key {
		case "name":
			from.origin.ScopeName = d.text(v.Str)
		case "version":
			from.origin.ScopeVersion = d.text(v.Str)
		case "attributes":
			d.jsonAttributes(&from.origin.ScopeAttributes, &from.origin.ScopeDropped, v, 0, &from.problem)
		case "droppedAttributesCount":
			from.origin.ScopeDropped += uint32(d.jsonUint(v, math.MaxUint32, &from.problem)) //nolint:gosec // It is bounded.
		}
	})
	return from
}

func (d *logReader) jsonRecord(record *events.Foreign, object gjson.Result, problem *logProblem) {
	eachMember(object, func(key string, v gjson.Result) {
		if v.Type == gjson.Null {
			return
		}
		switch key {
		case "timeUnixNano":
			record.TimeUnixNano = d.jsonUint(v, math.MaxUint64, problem)
		case "observedTimeUnixNano":
			record.ObservedUnixNano = d.jsonUint(v, math.MaxUint64, problem)
		case "severityNumber":
			record.SeverityNumber = int32(d.jsonUint(v, math.MaxInt32, problem)) //nolint:gosec // It is bounded.
		case "severityText":
			record.SeverityText = d.text(v.Str)
		case "body":
			record.Body = d.jsonValue(v, 0, problem)
		case "attributes":
			d.jsonAttributes(&record.Attributes, &record.Dropped, v, 0, problem)
		case "droppedAttributesCount":
			record.Dropped += uint32(d.jsonUint(v, math.MaxUint32, problem)) //nolint:gosec // It is bounded.
		case "flags":
			record.Flags = uint32(d.jsonUint(v, math.MaxUint32, problem)) //nolint:gosec // It is bounded.
		case "traceId":
			copyHexID(record.TraceID[:], v.Str)
		case "spanId":
			copyHexID(record.SpanID[:], v.Str)
		case "eventName":
			record.RecordName = d.text(v.Str)
		}
	})
}

// copyHexID copies an id of the right length.
func copyHexID(id []byte, text string) {
	if len(text) != hex.EncodedLen(len(id)) {
		return
	}
	if raw, err := hex.DecodeString(text); err == nil {
		copy(id, raw)
	}
}

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
