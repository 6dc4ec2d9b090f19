package responses

import (
	"bytes"
	"iter"

	"github.com/tidwall/gjson"
)

// fields are the members of a JSON object, key and value as they are written;
// the key without its quotes. Nothing is copied. Where raw is not JSON, or only
// the beginning of it, the members end early.
func fields(raw []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		at := skipSpace(raw, 0)
		if at >= len(raw) || raw[at] != '{' {
			return
		}
		for at++; ; at++ {
			key, value := memberAt(raw, at)
			if key == nil {
				return
			}
			end := skipValue(raw, value)
			if end == value || !yield(key, raw[value:end]) {
				return
			}
			if at = skipSpace(raw, end); at >= len(raw) || raw[at] != ',' {
				return
			}
		}
	}
}

// memberAt returns the key of the member at an offset, without its quotes, and
// where its value begins. The key is nil where there is none.
func memberAt(raw []byte, at int) (key []byte, value int) {
	at = skipSpace(raw, at)
	if at >= len(raw) || raw[at] != '"' {
		return nil, 0
	}
	end := closingQuote(raw, at+1)
	key = raw[at+1 : end]
	if at = skipSpace(raw, end+1); at >= len(raw) || raw[at] != ':' {
		return nil, 0
	}
	return key, skipSpace(raw, at+1)
}

// entries are the elements of a JSON array as they are written.
func entries(raw []byte) iter.Seq[[]byte] {
	return func(yield func(value []byte) bool) {
		at := skipSpace(raw, 0)
		if at >= len(raw) || raw[at] != '[' {
			return
		}
		for at++; ; at++ {
			at = skipSpace(raw, at)
			end := skipValue(raw, at)
			if end == at || !yield(raw[at:end]) {
				return
			}
			at = skipSpace(raw, end)
			if at >= len(raw) || raw[at] != ',' {
				return
			}
		}
	}
}

func skipSpace(raw []byte, at int) int {
	for at < len(raw) && (raw[at] == ' ' || raw[at] == '\n' || raw[at] == '\t' || raw[at] == '\r') {
		at++
	}
	return at
}

// skipValue returns where the value at an offset ends.
func skipValue(raw []byte, at int) int {
	for depth := 0; at < len(raw); at++ {
		switch raw[at] {
		case '"':
			at = closingQuote(raw, at+1)
			if depth == 0 {
				return min(at+1, len(raw))
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return at + 1
			}
			if depth < 0 {
				return at
			}
		case ',', ':', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return at
			}
		}
	}
	return min(at, len(raw)) // A string that does not end ends with raw.
}

// closingQuote returns the offset of the quote that ends the string whose
// content begins at an offset, or that of the end of raw.
func closingQuote(raw []byte, at int) int {
	for at < len(raw) {
		quote := bytes.IndexByte(raw[at:], '"')
		if quote < 0 {
			break
		}
		end := at + quote
		if !oddBackslashes(raw[at:end]) {
			return end
		}
		at = end + 1
	}
	return len(raw)
}

// unquoted returns what is between the quotes of a string as it is written, nil
// for any other value.
func unquoted(raw []byte) []byte {
	if len(raw) == 0 || raw[0] != '"' {
		return nil
	}
	raw = raw[1:]
	if len(raw) > 0 && raw[len(raw)-1] == '"' && !oddBackslashes(raw[:len(raw)-1]) {
		raw = raw[:len(raw)-1]
	}
	return raw
}

// text returns the string that raw is, "" for any other value.
func text(raw []byte) string {
	content := unquoted(raw)
	if bytes.IndexByte(content, '\\') < 0 {
		return string(content)
	}
	return gjson.ParseBytes(raw).Str
}

// textBytes is text without a copy where the string has no escapes.
func textBytes(raw []byte) []byte {
	content := unquoted(raw)
	if bytes.IndexByte(content, '\\') < 0 {
		return content
	}
	return []byte(gjson.ParseBytes(raw).Str)
}

// oddBackslashes reports whether p ends in an odd number of backslashes.
func oddBackslashes(p []byte) bool {
	n := 0
	for n < len(p) && p[len(p)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}
