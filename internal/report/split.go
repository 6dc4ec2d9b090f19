package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// whitespace is that of JSON (RFC 8259 §2).
const whitespace = " \t\r\n"

// rawItem is one item of a body before it is understood.
type rawItem struct {
	raw  []byte
	line int // from 1; 0 unless the body is NDJSON
}

// wellFormed decodes any JSON and keeps nothing: decoding into it is a check of
// the grammar that knows the offset of a mistake.
type wellFormed struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*wellFormed) UnmarshalJSON([]byte) error { return nil }

// split returns the items of a body. JSON is refused as a whole when it is
// broken anywhere; in NDJSON a broken line is one item.
func split(body []byte, layout format, maxItems int) ([]rawItem, error) {
	// PowerShell and some editors write a byte order mark; RFC 8259 §8.1 lets a
	// parser ignore it.
	lines := bytes.TrimPrefix(body, []byte("\uFEFF"))
	body = bytes.Trim(lines, whitespace)
	if len(body) == 0 {
		return nil, emptyBody()
	}
	if layout == formatLines || layout == formatSniff && looksLikeLines(body) {
		return splitLines(lines, maxItems)
	}
	if err := json.Unmarshal(body, &wellFormed{}); err != nil {
		return nil, syntaxRefusal(err)
	}
	switch body[0] {
	case '{':
		return []rawItem{{raw: body}}, nil
	case '[':
		return splitArray(body, maxItems)
	default:
		return nil, refuse(
			http.StatusBadRequest, refusedSyntax,
			"want a JSON object, an array of objects or one object a line, got "+typeName(body),
		)
	}
}

// looksLikeLines reports whether a body of unknown type is NDJSON: more than
// one of its lines begin an object. No layout of a single flat object does.
func looksLikeLines(body []byte) bool {
	if body[0] != '{' {
		return false
	}
	objects := 0
	for line := range bytes.Lines(body) {
		if bytes.HasPrefix(bytes.TrimLeft(line, whitespace), []byte("{")) {
			objects++
		}
		if objects > 1 {
			return true
		}
	}
	return false
}

func splitLines(body []byte, maxItems int) ([]rawItem, error) {
	var items []rawItem
	number := 0
	for line := range bytes.Lines(body) {
		number++
		line = bytes.Trim(line, whitespace)
		if len(line) == 0 {
			continue
		}
		if len(items) == maxItems {
			return nil, tooMany(maxItems)
		}
		items = append(items, rawItem{raw: line, line: number})
	}
	return items, nil
}

// splitArray expects a well-formed array.
func splitArray(body []byte, maxItems int) ([]rawItem, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if _, err := decoder.Token(); err != nil {
		return nil, syntaxRefusal(err)
	}
	var items []rawItem
	for decoder.More() {
		if len(items) == maxItems {
			return nil, tooMany(maxItems)
		}
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return nil, syntaxRefusal(err)
		}
		items = append(items, rawItem{raw: raw})
	}
	if len(items) == 0 {
		return nil, refuse(http.StatusBadRequest, refusedEmpty, "want at least one item, got an empty array")
	}
	return items, nil
}

func emptyBody() error {
	return refuse(http.StatusBadRequest, refusedEmpty, "want at least one item, got an empty body")
}

func tooMany(maxItems int) error {
	return refuse(
		http.StatusRequestEntityTooLarge, refusedTooMany,
		fmt.Sprintf("want at most %d items in one request; nothing of this one was recorded", maxItems),
	)
}

func syntaxRefusal(err error) error {
	message := "want JSON: " + syntaxMessage(err)
	if strings.Contains(message, "after top-level value") {
		message += "; send one object a line as application/x-ndjson"
	}
	return refuse(http.StatusBadRequest, refusedSyntax, message)
}

// syntaxMessage says where JSON is broken. The decoder's own text shows one
// character at most.
func syntaxMessage(err error) string {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("%s at byte %d", syntax.Error(), syntax.Offset)
	}
	return "broken JSON"
}

// typeName names the type of a JSON value with its article.
func typeName(raw []byte) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}
