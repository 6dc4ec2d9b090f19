package console

import (
	"encoding/base64"
	"math"
	"strconv"

	"github.com/codex-proxy/codex-proxy/events"
)

// appendForeign appends the members of a foreign record, each with a comma: its
// name and time first, then its own attributes, but those that the names of the
// feed's own members are taken from.
func appendForeign(dst []byte, f *events.Foreign, r events.Record) []byte {
	member := func(key string, v events.Value) {
		dst = append(appendQuoted(dst, key), ':')
		dst = append(appendForeignValue(dst, v), ',')
	}
	member("event.name", events.Value{Kind: events.ValueText, Text: f.EventName()})
	member("event.timestamp", events.Value{Kind: events.ValueText, Text: r.Time.UTC().Format(events.TimestampFormat)})
	for _, p := range f.Told(r) {
		switch p.Key {
		case "event.name", "event.timestamp", "severity", "body":
		default:
			member(p.Key, p.Value)
		}
	}
	return dst
}

func appendForeignValue(dst []byte, v events.Value) []byte {
	switch v.Kind {
	case events.ValueBool:
		return strconv.AppendBool(dst, v.Bool)
	case events.ValueInt:
		return strconv.AppendInt(dst, v.Int, 10)
	case events.ValueDouble:
		return appendFloat(dst, v.Double)
	case events.ValueBytes:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), []byte(v.Text)), '"')
	case events.ValueList:
		dst = append(dst, '[')
		for i, element := range v.List {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendForeignValue(dst, element)
		}
		return append(dst, ']')
	case events.ValueMap:
		dst = append(dst, '{')
		for i, p := range v.Map {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendForeignValue(append(appendQuoted(dst, p.Key), ':'), p.Value)
		}
		return append(dst, '}')
	case events.ValueEmpty:
		return append(dst, "null"...)
	default:
		return appendQuoted(dst, v.Text)
	}
}

// appendFloat appends a JSON number, or what is none as a string.
func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendQuoted(dst, strconv.FormatFloat(f, 'g', -1, 64))
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}
