package console

import (
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"

	"github.com/codex-proxy/codex-proxy/events"
)

// AppendJSON appends a record as one flat JSON object on one line: the
// attributes of enc under their names and in its order, then severity (INFO or
// ERROR) and body. Numbers are JSON numbers. Characters that a terminal could
// take for commands, and line breaks of every kind, are escaped.
//
// A foreign record's lists and maps are JSON too, and its bytes are in base64.
func AppendJSON(dst []byte, enc *events.Encoder, r events.Record) []byte {
	dst = append(dst, '{')
	if foreign, ok := r.Event.(*events.Foreign); ok {
		dst = appendForeign(dst, foreign, r)
	} else {
		for _, attr := range enc.Attributes(make([]attribute.KeyValue, 0, 40), r) {
			dst = appendQuoted(dst, string(attr.Key))
			dst = append(dst, ':')
			dst = appendValue(dst, attr.Value)
			dst = append(dst, ',')
		}
	}
	severity := "INFO"
	if enc.Severity(r) >= events.SeverityError {
		severity = "ERROR"
	}
	dst = append(dst, `"severity":"`...)
	dst = append(dst, severity...)
	dst = append(dst, `","body":`...)
	dst = appendQuoted(dst, enc.Body(r))
	return append(dst, '}')
}

// appendValue appends the value of an attribute. The catalogue has strings,
// integers and booleans; what an agent reports beyond it may be a number of any
// kind.
func appendValue(dst []byte, v attribute.Value) []byte {
	switch v.Type() {
	case attribute.INT64:
		return strconv.AppendInt(dst, v.AsInt64(), 10)
	case attribute.BOOL:
		return strconv.AppendBool(dst, v.AsBool())
	case attribute.STRING:
		return appendQuoted(dst, v.AsString())
	case attribute.FLOAT64:
		return appendFloat(dst, v.AsFloat64())
	default:
		return appendQuoted(dst, v.String())
	}
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends a JSON string that holds only printable characters.
// Bytes that are not UTF-8 become U+FFFD.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0 // of what is not appended yet
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
			dst = appendEscapedASCII(append(dst, s[start:i]...), c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r != utf8.RuneError && unicode.IsPrint(r) {
			i += size
			continue
		}
		dst = appendEscapedRune(append(dst, s[start:i]...), r)
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscapedASCII(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	default:
		return appendUnit(dst, rune(c))
	}
}

// appendEscapedRune appends \uXXXX, twice for a character beyond U+FFFF.
func appendEscapedRune(dst []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return appendUnit(appendUnit(dst, high), low)
	}
	return appendUnit(dst, r)
}

func appendUnit(dst []byte, u rune) []byte {
	return append(dst, '\\', 'u', hexDigits[u>>12&0xf], hexDigits[u>>8&0xf], hexDigits[u>>4&0xf], hexDigits[u&0xf])
}
