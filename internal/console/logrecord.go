package console

import (
	"encoding/base64"
	"strconv"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/codex-proxy/codex-proxy/events"
)

// AppendLogRecord appends a log record, as it was exported, as the object that
// AppendJSON made of it when it was recorded. Only a foreign record differs: it
// has its own body, of any type, in place of a summary.
func AppendLogRecord(dst []byte, r *logspb.LogRecord) []byte {
	name, stamp := r.GetEventName(), RecordTime(r).UTC().Format(events.TimestampFormat)
	if name == "" {
		name = "log"
	}
	for _, kv := range r.GetAttributes() {
		switch text := kv.GetValue().GetStringValue(); {
		case text == "":
		case kv.GetKey() == "event.name":
			name = text
		case kv.GetKey() == "event.timestamp":
			stamp = text
		}
	}
	dst = appendQuoted(append(dst, `{"event.name":`...), name)
	dst = appendQuoted(append(dst, `,"event.timestamp":`...), stamp)
	for _, kv := range r.GetAttributes() {
		switch kv.GetKey() {
		case "event.name", "event.timestamp", "severity", "body":
		default:
			dst = appendQuoted(append(dst, ','), kv.GetKey())
			dst = appendAny(append(dst, ':'), kv.GetValue())
		}
	}
	severity := "INFO"
	if r.GetSeverityNumber() >= logspb.SeverityNumber_SEVERITY_NUMBER_ERROR {
		severity = "ERROR"
	}
	dst = append(append(dst, `,"severity":"`...), severity...)
	dst = append(dst, `","body":`...)
	if r.GetBody().GetValue() == nil {
		return append(dst, `""}`...)
	}
	return append(appendAny(dst, r.GetBody()), '}')
}

// RecordTime returns when what a record tells was, or when it was seen: the year
// 1970 for a record that says neither.
func RecordTime(r *logspb.LogRecord) time.Time {
	at := r.GetTimeUnixNano()
	if at == 0 {
		at = r.GetObservedTimeUnixNano()
	}
	return time.Unix(0, int64(at)) //nolint:gosec // Until the year 2262.
}

// appendAny appends a value of OTLP as JSON: bytes in base64, no value as null.
func appendAny(dst []byte, v *commonpb.AnyValue) []byte {
	switch v := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return appendQuoted(dst, v.StringValue)
	case *commonpb.AnyValue_BoolValue:
		return strconv.AppendBool(dst, v.BoolValue)
	case *commonpb.AnyValue_IntValue:
		return strconv.AppendInt(dst, v.IntValue, 10)
	case *commonpb.AnyValue_DoubleValue:
		return appendFloat(dst, v.DoubleValue)
	case *commonpb.AnyValue_BytesValue:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v.BytesValue), '"')
	case *commonpb.AnyValue_ArrayValue:
		dst = append(dst, '[')
		for i, element := range v.ArrayValue.GetValues() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendAny(dst, element)
		}
		return append(dst, ']')
	case *commonpb.AnyValue_KvlistValue:
		dst = append(dst, '{')
		for i, kv := range v.KvlistValue.GetValues() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendAny(append(appendQuoted(dst, kv.GetKey()), ':'), kv.GetValue())
		}
		return append(dst, '}')
	default:
		return append(dst, "null"...)
	}
}
