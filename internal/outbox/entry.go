package outbox

import (
	"bytes"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// What marks a record as a delta: high in number, low in worth.
const (
	KindAttribute = "event.kind"
	DeltaSuffix   = ".delta"
)

// nameAttribute is the name of an event among its attributes.
const nameAttribute = "event.name"

// Field numbers of opentelemetry/proto/{collector/logs,logs,resource,common}/v1.
const (
	fieldResourceLogs protowire.Number = 1 // ExportLogsServiceRequest

	fieldScopeLogs protowire.Number = 2 // ResourceLogs

	fieldLogRecord protowire.Number = 2 // ScopeLogs

	fieldAttribute protowire.Number = 6 // LogRecord
	fieldEventName protowire.Number = 12

	fieldKey   protowire.Number = 1 // KeyValue
	fieldValue protowire.Number = 2

	fieldStringValue protowire.Number = 1 // AnyValue
)

// Entry is one sealed batch: an ExportLogsServiceRequest in its protobuf
// encoding, ready to send. The bytes of a payload never change. Two payloads one
// after the other are a valid payload too: protobuf joins repeated fields.
type Entry struct {
	// ID orders entries; the outbox gives it. It survives a change of payload.
	ID uint64
	// Payload is the encoded request.
	Payload []byte
	// Records is the number of log records in the payload.
	Records int
	// Deltas is the number of records among them that tell of a stream event
	// whose kind ends in .delta. They go first when room is short.
	Deltas int
	// Counts are the records by event name. They never change.
	Counts Tally
}

// NewEntry returns the entry of an encoded ExportLogsServiceRequest, its records
// counted.
func NewEntry(request []byte) Entry {
	return Entry{Payload: request}.filter(func(int, bool) bool { return true })
}

// WithoutDeltas returns the entry with its deltas taken out.
func (e Entry) WithoutDeltas() Entry {
	return e.filter(func(_ int, delta bool) bool { return !delta })
}

// Split returns the first half of the entry's records and the rest.
func (e Entry) Split() (first, rest Entry) {
	half := e.Records / 2
	first = e.filter(func(i int, _ bool) bool { return i < half })
	rest = e.filter(func(i int, _ bool) bool { return i >= half })
	return first, rest
}

// Join returns one entry, with e's ID, that holds e's records and next's. It
// uses the spare capacity behind e's payload, so e may be joined only once.
func (e Entry) Join(next Entry) Entry {
	e.Payload = append(e.Payload, next.Payload...)
	e.Records += next.Records
	e.Deltas += next.Deltas
	e.Counts = e.Counts.Plus(next.Counts)
	return e
}

// filter returns the entry with the records for which keep, given the record's
// index and whether it is a delta, reports true. A resource or scope without
// records left goes too.
func (e Entry) filter(keep func(i int, delta bool) bool) Entry {
	kept := Entry{ID: e.ID, Counts: Tally{}}
	index := 0
	kept.Payload, _ = rewrite(e.Payload, fieldResourceLogs, func(resourceLogs []byte) ([]byte, bool) {
		return rewrite(resourceLogs, fieldScopeLogs, func(scopeLogs []byte) ([]byte, bool) {
			return rewrite(scopeLogs, fieldLogRecord, func(record []byte) ([]byte, bool) {
				delta := IsDelta(record)
				ok := keep(index, delta)
				index++
				if ok {
					kept.Records++
					kept.Counts[EventName(record)]++
				}
				if ok && delta {
					kept.Deltas++
				}
				return record, ok
			})
		})
	})
	return kept
}

// rewrite returns message with every length-delimited field of the given number
// replaced by what f makes of it, or left out where f reports false. It reports
// whether any such field is left.
func rewrite(message []byte, field protowire.Number, f func([]byte) ([]byte, bool)) ([]byte, bool) {
	var out []byte
	found := false
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			break
		}
		size := protowire.ConsumeFieldValue(number, kind, message[n:])
		if size < 0 {
			break
		}
		raw := message[:n+size]
		message = message[n+size:]
		if number != field || kind != protowire.BytesType {
			out = append(out, raw...)
			continue
		}
		inner, _ := protowire.ConsumeBytes(raw[n:])
		if replaced, ok := f(inner); ok {
			out = protowire.AppendTag(out, field, protowire.BytesType)
			out = protowire.AppendBytes(out, replaced)
			found = true
		}
	}
	return out, found
}

// maxNameBytes bounds the names in the books. An agent's own records may have any.
const maxNameBytes = 64

// EventName returns the name that the books know an encoded LogRecord by: its
// attribute event.name, else its event_name, at most 64 bytes of it. All records
// of the proxy have both, and they are equal.
func EventName(record []byte) string {
	var name []byte
	eachBytesField(record, fieldEventName, func(text []byte) { name = text })
	if value := stringAttribute(record, nameAttribute); value != nil {
		name = value
	}
	return strings.ToValidUTF8(string(name[:min(len(name), maxNameBytes)]), "")
}

// IsDelta reports whether an encoded LogRecord has an event.kind that ends in
// .delta.
func IsDelta(record []byte) bool {
	return bytes.HasSuffix(stringAttribute(record, KindAttribute), []byte(DeltaSuffix))
}

// stringAttribute returns the last string that an encoded LogRecord has under a
// key, nil for none.
func stringAttribute(record []byte, key string) []byte {
	var found []byte
	eachBytesField(record, fieldAttribute, func(kv []byte) {
		same := false
		eachBytesField(kv, fieldKey, func(name []byte) { same = string(name) == key })
		if !same {
			return
		}
		eachBytesField(kv, fieldValue, func(value []byte) {
			eachBytesField(value, fieldStringValue, func(text []byte) { found = text })
		})
	})
	return found
}

// eachBytesField calls f with every length-delimited field of the given number.
func eachBytesField(message []byte, field protowire.Number, f func([]byte)) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		size := protowire.ConsumeFieldValue(number, kind, message[n:])
		if size < 0 {
			return
		}
		if number == field && kind == protowire.BytesType {
			inner, _ := protowire.ConsumeBytes(message[n:])
			f(inner)
		}
		message = message[n+size:]
	}
}
