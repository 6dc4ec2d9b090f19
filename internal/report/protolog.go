package report

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/codex-proxy/codex-proxy/events"
)

// wireField is one field of a protobuf message.
type wireField struct {
	number protowire.Number
	kind   protowire.Type
	bytes  []byte // of a length-delimited field
	whole  uint64 // of any other
}

// is reports whether the field has that number and type. One of another type is
// none that the message is known to have.
func (f wireField) is(number protowire.Number, kind protowire.Type) bool {
	return f.number == number && f.kind == kind
}

// eachField calls visit with the fields of a message, until one is broken or
// visit returns an error.
func eachField(message []byte, visit func(wireField) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errBroken("protobuf")
		}
		size := protowire.ConsumeFieldValue(number, kind, message[n:])
		if size < 0 {
			return errBroken("protobuf")
		}
		field := wireField{number: number, kind: kind}
		raw := message[n : n+size]
		switch kind {
		case protowire.BytesType:
			field.bytes, _ = protowire.ConsumeBytes(raw)
		case protowire.VarintType:
			field.whole, _ = protowire.ConsumeVarint(raw)
		case protowire.Fixed64Type:
			field.whole, _ = protowire.ConsumeFixed64(raw)
		case protowire.Fixed32Type:
			small, _ := protowire.ConsumeFixed32(raw)
			field.whole = uint64(small)
		default: // Groups have no place in OTLP.
		}
		if err := visit(field); err != nil {
			return err
		}
		message = message[n+size:]
	}
	return nil
}

// readProto reads an ExportLogsServiceRequest. The numbers are those of
// opentelemetry/proto/logs/v1/logs.proto and its neighbors.
func (d *logReader) readProto(body []byte) error {
	return eachField(body, func(f wireField) error {
		if !f.is(1, protowire.BytesType) { // resource_logs
			return nil
		}
		return d.protoResourceLogs(f.bytes)
	})
}

func (d *logReader) protoResourceLogs(message []byte) error {
	resource, schema, err := ownFields(message)
	if err != nil {
		return err
	}
	from := logOrigin{told: [2][]byte{resource, schema}}
	if from.problem = tooLong(len(resource) + len(schema)); from.problem == 0 {
		from.origin.ResourceSchemaURL = d.text(string(schema))
		if err := d.protoResource(&from, resource); err != nil {
			return err
		}
	}
	return eachField(message, func(f wireField) error {
		if !f.is(2, protowire.BytesType) { // scope_logs
			return nil
		}
		return d.protoScopeLogs(f.bytes, &from)
	})
}

// ownFields returns what ResourceLogs and ScopeLogs have beside their lists: the
// resource or scope, and schema_url.
func ownFields(message []byte) (own, schema []byte, err error) {
	err = eachField(message, func(f wireField) error {
		switch {
		case f.is(1, protowire.BytesType):
			own = f.bytes
		case f.is(3, protowire.BytesType):
			schema = f.bytes
		}
		return nil
	})
	return own, schema, err
}

// protoScopeLogs reads the records of a ScopeLogs. What costs more than the bytes
// it takes in the message waits for the first of them.
func (d *logReader) protoScopeLogs(message []byte, outer *logOrigin) error {
	var from logOrigin
	var origin *events.Origin
	return eachField(message, func(f wireField) error {
		if !f.is(2, protowire.BytesType) { // log_records
			return nil
		}
		if origin == nil {
			scope, schema, err := ownFields(message)
			if err != nil {
				return err
			}
			if from = outer.inScope(scope, schema); from.problem == 0 {
				from.origin.ScopeSchemaURL = d.text(string(schema))
				if err := d.protoScope(&from, scope); err != nil {
					return err
				}
			}
			origin = new(from.origin)
		}
		return d.protoLogRecord(f.bytes, origin, &from)
	})
}

func (d *logReader) protoLogRecord(message []byte, origin *events.Origin, from *logOrigin) error {
	if err := d.open(); err != nil {
		return err
	}
	record, problem := &events.Foreign{Origin: origin}, from.problem
	if problem == 0 && len(message) > d.maxRecordBytes {
		problem = problemSize
	}
	if problem == 0 {
		var err error
		if problem, err = d.protoRecord(record, message); err != nil {
			return err
		}
	}
	d.add(record, from.digest, message, problem)
	return nil
}

func (d *logReader) protoResource(from *logOrigin, message []byte) error {
	d.recordValues = maxRecordValues
	return eachField(message, func(f wireField) error {
		switch {
		case f.is(1, protowire.BytesType): // attributes
			return d.protoAttribute(&from.origin.Resource, &from.origin.ResourceDropped, f.bytes, 0, &from.problem)
		case f.is(2, protowire.VarintType): // dropped_attributes_count
			from.origin.ResourceDropped += uint32(f.whole) //nolint:gosec // It is a uint32 by its definition.
		}
		return nil
	})
}

func (d *logReader) protoScope(from *logOrigin, message []byte) error {
	d.recordValues = maxRecordValues
	return eachField(message, func(f wireField) error {
		switch {
		case f.is(1, protowire.BytesType): // name
			from.origin.ScopeName = d.text(string(f.bytes))
		case f.is(2, protowire.BytesType): // version
			from.origin.ScopeVersion = d.text(string(f.bytes))
		case f.is(3, protowire.BytesType): // attributes
			return d.protoAttribute(&from.origin.ScopeAttributes, &from.origin.ScopeDropped, f.bytes, 0, &from.problem)
		case f.is(4, protowire.VarintType): // dropped_attributes_count
			from.origin.ScopeDropped += uint32(f.whole) //nolint:gosec // It is a uint32 by its definition.
		}
		return nil
	})
}

func (d *logReader) protoRecord(record *events.Foreign, message []byte) (problem logProblem, err error) {
	err = eachField(message, func(f wireField) (err error) {
		switch {
		case f.is(1, protowire.Fixed64Type): // time_unix_nano
			record.TimeUnixNano = f.whole
		case f.is(2, protowire.VarintType): // severity_number
			record.SeverityNumber = int32(f.whole) //nolint:gosec // It is an enum by its definition.
		case f.is(3, protowire.BytesType): // severity_text
			record.SeverityText = d.text(string(f.bytes))
		case f.is(5, protowire.BytesType): // body
			record.Body, err = d.protoValue(f.bytes, 0, &problem)
		case f.is(6, protowire.BytesType): // attributes
			err = d.protoAttribute(&record.Attributes, &record.Dropped, f.bytes, 0, &problem)
		case f.is(7, protowire.VarintType): // dropped_attributes_count
			record.Dropped += uint32(f.whole) //nolint:gosec // It is a uint32 by its definition.
		case f.is(8, protowire.Fixed32Type): // flags
			record.Flags = uint32(f.whole) //nolint:gosec // It was read as 32 bits.
		case f.is(9, protowire.BytesType): // trace_id
			copyID(record.TraceID[:], f.bytes)
		case f.is(10, protowire.BytesType): // span_id
			copyID(record.SpanID[:], f.bytes)
		case f.is(11, protowire.Fixed64Type): // observed_time_unix_nano
			record.ObservedUnixNano = f.whole
		case f.is(12, protowire.BytesType): // event_name
			record.RecordName = d.text(string(f.bytes))
		}
		return err
	})
	return problem, err
}
