package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// maxKeys bounds the keys of one item; more than the longest event has.
const maxKeys = 48

// member is one key of an item with its value as it was written.
type member struct {
	key string
	raw []byte
}

// members returns the keys of one JSON object in their order. The problems are
// those of the object as such: not an object, broken, a key twice, too many
// keys. Of a repeated key the first value is kept; there are no members when the
// rest of the item is not worth looking at.
func members(raw []byte) ([]member, []Problem) {
	if err := json.Unmarshal(raw, &wellFormed{}); err != nil {
		return nil, []Problem{{reason: reasonSyntax, Message: "want a JSON object: " + syntaxMessage(err)}}
	}
	if raw[0] != '{' {
		return nil, []Problem{{reason: reasonSyntax, Message: "want a JSON object, got " + typeName(raw)}}
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	_, _ = decoder.Token() // The opening brace.
	var list []member
	var problems []Problem
	seen := make(map[string]bool)
	for decoder.More() {
		token, err := decoder.Token()
		key, ok := token.(string)
		var value json.RawMessage
		if err == nil {
			err = decoder.Decode(&value)
		}
		if err != nil || !ok {
			// Not reached: the object is well-formed.
			return nil, []Problem{{reason: reasonSyntax, Message: "want a JSON object"}}
		}
		switch {
		case len(seen) == maxKeys:
			message := fmt.Sprintf("want at most %d keys", maxKeys)
			return nil, []Problem{{reason: reasonSize, Message: message}}
		case seen[key]:
			problems = append(problems, Problem{
				Field: fieldName(key), reason: reasonDuplicateKey, Message: "want the key once, got it again",
			})
		default:
			seen[key] = true
			list = append(list, member{key: key, raw: value})
		}
	}
	return list, problems
}

// fieldName is a key as an error names it: an agent may have written anything
// there.
func fieldName(key string) string {
	quoted := echo(key)
	return quoted[1 : len(quoted)-1]
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, -1 when
// there is none.
func invalidUTF8(raw []byte) int {
	for i := 0; i < len(raw); {
		if raw[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// halfSurrogate reports whether a JSON string has an escaped half of a
// surrogate pair, which a string cut between UTF-16 units ends in. It is no
// character; decoding makes it U+FFFD.
func halfSurrogate(raw []byte) bool {
	for i := 0; i+1 < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		unit := escapedUnit(raw[i:])
		switch {
		case unit >= 0xDC00 && unit <= 0xDFFF:
			return true
		case unit >= 0xD800 && unit <= 0xDBFF:
			if low := escapedUnit(raw[i+6:]); low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 11
		default:
			i++ // The character after the backslash is no backslash of its own.
		}
	}
	return false
}

// escapedUnit returns the UTF-16 unit of a \uXXXX at the start of raw, -1 when
// there is none.
func escapedUnit(raw []byte) int {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return -1
	}
	unit := 0
	for _, digit := range raw[2:6] {
		switch {
		case digit >= '0' && digit <= '9':
			unit = unit<<4 | int(digit-'0')
		case digit|0x20 >= 'a' && digit|0x20 <= 'f':
			unit = unit<<4 | int(digit|0x20-'a'+10)
		default:
			return -1
		}
	}
	return unit
}
