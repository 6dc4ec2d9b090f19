package report

import (
	"encoding/hex"
	"encoding/json"
	"math"

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
