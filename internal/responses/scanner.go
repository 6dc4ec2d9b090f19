package responses

import "bytes"

// scanner reads the top level of one JSON object as its bytes pass by. It keeps
// the raw values of the wanted keys, each up to a limit, and skips everything
// else at the speed of a search for quotes: a request of 100 MB costs no
// memory. It never fails: what is not a JSON object yields no values.
type scanner struct {
	want  func(key string) bool
	limit int

	values    map[string][]byte // raw JSON of the wanted keys; the last one wins
	truncated bool              // a wanted value was longer than limit
	malformed bool              // not a JSON object
	done      bool              // the object was closed

	depth    int
	inString bool
	escaped  bool // the byte before, inside a string, was an unescaped backslash
	expect   expectation
	key      []byte
	keeping  bool   // the value under way is wanted
	value    []byte // what was kept of it
}

// expectation is what may come next at depth 1.
type expectation uint8

const (
	expectKey expectation = iota
	expectColon
	expectValue
	insideValue
)

// Write takes the next bytes of the document.
func (s *scanner) Write(p []byte) {
	for len(p) > 0 && !s.malformed && !s.done {
		if s.inString {
			p = s.skipString(p)
			continue
		}
		c := p[0]
		switch s.depth {
		case 0:
			s.open(c)
		case 1:
			s.topLevel(c)
		default:
			s.nested(c)
		}
		p = p[1:]
	}
}

// open takes a byte before the object.
func (s *scanner) open(c byte) {
	switch c {
	case ' ', '\t', '\r', '\n', 0xEF, 0xBB, 0xBF:
	case '{':
		s.depth, s.expect = 1, expectKey
	default:
		s.malformed = true
	}
}

// topLevel takes a structural byte of the object itself.
func (s *scanner) topLevel(c byte) {
	switch c {
	case ' ', '\t', '\r', '\n':
		s.keep(c)
	case '}', ']':
		s.finishValue()
		s.done = c == '}'
		s.malformed = !s.done
	case ',':
		s.finishValue()
		s.expect = expectKey
	case ':':
		if s.expect != expectColon {
			s.malformed = true
			return
		}
		s.expect = expectValue
		s.keeping = s.want(string(s.key))
		s.value = nil
	case '"':
		s.inString = true
		if s.expect == expectKey {
			s.key = s.key[:0]
			return
		}
		s.startValue(c)
	case '{', '[':
		s.startValue(c)
		s.depth++
	default:
		s.startValue(c)
	}
}

func (s *scanner) startValue(c byte) {
	if s.expect != expectValue && s.expect != insideValue {
		s.malformed = true
		return
	}
	s.expect = insideValue
	s.keep(c)
}

// nested takes a structural byte inside a value.
func (s *scanner) nested(c byte) {
	s.keep(c)
	switch c {
	case '"':
		s.inString = true
	case '{', '[':
		s.depth++
	case '}', ']':
		s.depth--
	}
}

// skipString consumes p up to the end of the string, or all of it.
func (s *scanner) skipString(p []byte) []byte {
	for at := 0; at < len(p); {
		if s.escaped {
			s.escaped = false
			at++
			continue
		}
		quote := bytes.IndexByte(p[at:], '"')
		if quote < 0 {
			s.escaped = oddBackslashes(p[at:])
			break
		}
		end := at + quote
		if oddBackslashes(p[at:end]) {
			at = end + 1
			continue
		}
		s.keepString(p[:end])
		s.closeString()
		return p[end+1:]
	}
	s.keepString(p)
	return nil
}

// oddBackslashes reports whether p ends in an odd number of backslashes.
func oddBackslashes(p []byte) bool {
	n := 0
	for n < len(p) && p[len(p)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

func (s *scanner) keepString(p []byte) {
	if s.depth == 1 && s.expect == expectKey {
		if room := maxKeyBytes - len(s.key); len(p) > room {
			p = p[:max(0, room)]
		}
		s.key = append(s.key, p...)
		return
	}
	s.keep(p...)
}

// maxKeyBytes bounds the key kept for comparison; no wanted key is as long.
const maxKeyBytes = 64

func (s *scanner) closeString() {
	s.inString = false
	if s.depth == 1 && s.expect == expectKey {
		s.expect = expectColon
		return
	}
	s.keep('"')
}

func (s *scanner) keep(p ...byte) {
	if !s.keeping {
		return
	}
	if len(s.value)+len(p) > s.limit {
		s.keeping, s.truncated, s.value = false, true, nil
		return
	}
	s.value = append(s.value, p...)
}

func (s *scanner) finishValue() {
	if s.keeping && s.expect == insideValue {
		if s.values == nil {
			s.values = make(map[string][]byte)
		}
		s.values[string(s.key)] = bytes.TrimSpace(s.value)
	}
	s.keeping, s.value = false, nil
}
