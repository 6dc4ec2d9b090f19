package responses

import "bytes"

// scanner reads the top level of one JSON object as its bytes pass by. It keeps
// the raw values of some keys, each up to a limit, shows the elements of the
// arrays of others one by one, and skips everything else at the speed of a
// search for quotes: a request of 100 MB costs no memory. It never fails: what
// is not a JSON object yields no values.
//
// An element that lies within one chunk is shown where it is; any other is put
// together in one buffer, without what is beyond maxStringBytes of a string or
// maxElementBytes of the element.
type scanner struct {
	treat func(key []byte) treatment
	show  func(element)
	limit int

	values    map[string][]byte // raw JSON of the kept keys; the last one wins
	truncated bool              // a kept value was longer than limit
	malformed bool              // not a JSON object
	done      bool              // the object was closed

	depth     int
	inString  bool
	escaped   bool // the byte before, inside a string, was an unescaped backslash
	expect    expectation
	key       []byte
	treatment treatment // of the value under way
	value     []byte    // what was kept of it

	read    int64 // bytes before this chunk
	array   bool  // the value under way is an array whose elements are shown
	open    bool  // an element is under way
	start   int64 // its offset in the document
	mark    int   // where in the chunk the bytes begin that held lacks, -1 for none
	held    []byte
	shared  bool // a checkpoint has held, too
	cut     bool
	strings int  // bytes of the string under way
	eliding bool // it is longer than what is held of a string
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
	s.mark = -1
	if s.open && !s.eliding {
		s.mark = 0
	}
	for i := 0; i < len(p) && !s.malformed && !s.done; {
		switch {
		case s.inString:
			i = s.skipString(p, i)
		case s.depth == 0:
			s.begin(p[i])
			i++
		case s.depth == 1:
			s.topLevel(p, i)
			i++
		default:
			i = s.nested(p, i)
		}
	}
	if s.open && s.mark >= 0 {
		s.hold(p[s.mark:])
	}
	s.read += int64(len(p))
}

// begin takes a byte before the object.
func (s *scanner) begin(c byte) {
	switch c {
	case ' ', '\t', '\r', '\n', 0xEF, 0xBB, 0xBF:
	case '{':
		s.depth, s.expect = 1, expectKey
	default:
		s.malformed = true
	}
}

// topLevel takes the structural byte at i of the object itself.
func (s *scanner) topLevel(p []byte, i int) {
	c := p[i]
	switch c {
	case ' ', '\t', '\r', '\n':
		s.keep(c)
	case '}', ']':
		s.finishValue(p, i)
		s.done = c == '}'
		s.malformed = !s.done
	case ',':
		s.finishValue(p, i)
		s.expect = expectKey
	case ':':
		if s.expect != expectColon {
			s.malformed = true
			return
		}
		s.expect = expectValue
		s.treatment = s.treat(s.key)
		s.value = nil
	case '"':
		s.inString, s.strings = true, 0
		if s.expect == expectKey {
			s.key = s.key[:0]
			return
		}
		s.startValue(c, i)
	case '{', '[':
		s.startValue(c, i)
		s.depth++
	default:
		s.startValue(c, i)
	}
}

// startValue takes the first byte of a value, or a further one of a number or a
// word.
func (s *scanner) startValue(c byte, i int) {
	if s.expect != expectValue && s.expect != insideValue {
		s.malformed = true
		return
	}
	if s.treatment == shown && s.expect == expectValue {
		if c == '[' {
			s.array = true
		} else {
			s.openElement(i)
		}
	}
	s.expect = insideValue
	s.keep(c)
}

// nested takes structural bytes inside a value, from i up to a string or the
// end of the value, and returns where it stopped.
func (s *scanner) nested(p []byte, i int) int {
	for ; i < len(p) && s.depth > 1; i++ {
		c := p[i]
		s.keep(c)
		if s.array && s.depth == 2 {
			s.betweenElements(p, i)
		}
		switch c {
		case '"':
			s.inString, s.strings = true, 0
			return i + 1
		case '{', '[':
			s.depth++
		case '}', ']':
			s.depth--
		}
	}
	return i
}

// skipString goes through a string from i to its end, or to that of p, and
// returns where it stopped.
func (s *scanner) skipString(p []byte, i int) int {
	start := i
	for i < len(p) {
		if s.escaped {
			s.escaped = false
			i++
			continue
		}
		quote := bytes.IndexByte(p[i:], '"')
		if quote < 0 {
			s.escaped = oddBackslashes(p[i:])
			break
		}
		end := i + quote
		if oddBackslashes(p[i:end]) {
			i = end + 1
			continue
		}
		s.insideString(p, start, end)
		s.closeString(end)
		return end + 1
	}
	s.insideString(p, start, len(p))
	return len(p)
}

// insideString takes the content of a string from start up to end.
func (s *scanner) insideString(p []byte, start, end int) {
	switch {
	case s.depth == 1 && s.expect == expectKey:
		content := p[start:end]
		if room := maxKeyBytes - len(s.key); len(content) > room {
			content = content[:max(0, room)]
		}
		s.key = append(s.key, content...)
	case s.open:
		s.elide(p, start, end)
	case s.treatment == kept:
		s.keep(p[start:end]...)
	}
}

// maxKeyBytes bounds the key kept for comparison; no key asked for is as long.
const maxKeyBytes = 64

func (s *scanner) closeString(end int) {
	s.inString = false
	if s.depth == 1 && s.expect == expectKey {
		s.expect = expectColon
		return
	}
	if s.eliding {
		s.eliding, s.mark = false, end
	}
	s.keep('"')
}

func (s *scanner) keep(p ...byte) {
	if s.treatment != kept {
		return
	}
	if len(s.value)+len(p) > s.limit {
		s.treatment, s.truncated, s.value = skipped, true, nil
		return
	}
	s.value = append(s.value, p...)
}

// finishValue ends the value under way before i.
func (s *scanner) finishValue(p []byte, i int) {
	s.closeElement(p, i)
	s.array = false
	if s.treatment == kept && s.expect == insideValue {
		if s.values == nil {
			s.values = make(map[string][]byte)
		}
		s.values[string(s.key)] = bytes.TrimSpace(s.value)
	}
	s.treatment, s.value = skipped, nil
}
