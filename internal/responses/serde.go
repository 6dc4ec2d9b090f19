package responses

import (
	"bytes"
	"strconv"
)

// serde reads a JSON document the way serde_json reads one into a Value: Codex
// hands every event to it and tells its errors word by word. The texts and the
// places they name are those of serde_json 1.0 (src/de.rs, src/read.rs), proven
// against the CLI itself; testdata/serde.json has what it said.
//
// It keeps nothing of the document, reads each byte once, and goes no deeper
// than serde_json does.
type serde struct {
	data    []byte
	at      int // of the next byte
	numbers numbers
	// out, when not nil, takes the document as serde_json writes it again.
	out *bytes.Buffer

	text string // of the error
	end  int    // bytes up to and including the one that the error is about
}

// maxSerdeDepth is how deep serde_json lets arrays and objects nest.
const maxSerdeDepth = 127

// serdeError returns what serde_json says of data, "" when it is JSON.
func serdeError(data []byte, kept numbers) string {
	s := serde{data: data, numbers: kept}
	if s.document() {
		return ""
	}
	return s.message()
}

// message is the error with the place it was found at: lines and bytes of the
// line are counted from 1.
func (s *serde) message() string {
	before := s.data[:s.end]
	start := bytes.LastIndexByte(before, '\n') + 1
	line := 1 + bytes.Count(before[:start], []byte("\n"))
	return s.text + " at line " + strconv.Itoa(line) + " column " + strconv.Itoa(s.end-start)
}

// fail reports an error about the byte before the next one.
func (s *serde) fail(text string) bool {
	s.text, s.end = text, min(s.at, len(s.data))
	return false
}

// failNext reports an error about the next byte.
func (s *serde) failNext(text string) bool {
	s.text, s.end = text, min(s.at+1, len(s.data))
	return false
}

// peek returns the next byte, 0 at the end. A NUL in the data is an error
// wherever a byte is compared, and so needs no telling apart.
func (s *serde) peek() byte {
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

// space skips white space and reports whether a byte follows.
func (s *serde) space() bool {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return true
		}
	}
	return false
}

func (s *serde) document() bool {
	if !s.value(0) {
		return false
	}
	if s.space() {
		return s.failNext("trailing characters")
	}
	return true
}

// value reads one value inside depth others.
func (s *serde) value(depth int) bool {
	if !s.space() {
		return s.failNext("EOF while parsing a value")
	}
	switch c := s.data[s.at]; c {
	case 'n':
		return s.word("null")
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case '"':
		return s.quoted()
	case '[', '{':
		if depth == maxSerdeDepth {
			return s.failNext("recursion limit exceeded")
		}
		if c == '[' {
			return s.list(depth + 1)
		}
		return s.object(depth + 1)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.number()
	default:
		return s.failNext("expected value")
	}
}

// word reads a word whose first letter is known to be there.
func (s *serde) word(word string) bool {
	s.at++
	for i := 1; i < len(word); i++ {
		if s.at == len(s.data) {
			return s.fail("EOF while parsing a value")
		}
		s.at++
		if s.data[s.at-1] != word[i] {
			return s.fail("expected ident")
		}
	}
	s.write(word)
	return true
}

func (s *serde) list(depth int) bool {
	s.at++
	s.write("[")
	for first := true; ; first = false {
		if !s.space() {
			return s.failNext("EOF while parsing a list")
		}
		switch {
		case s.data[s.at] == ']':
			s.at++
			s.write("]")
			return true
		case first:
		case s.data[s.at] != ',':
			return s.failNext("expected `,` or `]`")
		default:
			s.at++
			if s.space() && s.data[s.at] == ']' {
				return s.failNext("trailing comma")
			}
			s.write(",")
		}
		if !s.value(depth) {
			return false
		}
	}
}

func (s *serde) object(depth int) bool {
	s.at++
	members := s.members()
	for first := true; ; first = false {
		if !s.space() {
			return s.failNext("EOF while parsing an object")
		}
		switch {
		case s.data[s.at] == '}':
			s.at++
			members.close()
			return true
		case first:
		case s.data[s.at] != ',':
			return s.failNext("expected `,` or `}`")
		default:
			s.at++
			if !s.space() {
				return s.failNext("EOF while parsing a value")
			}
			if s.data[s.at] == '}' {
				return s.failNext("trailing comma")
			}
		}
		if s.data[s.at] != '"' {
			return s.failNext("key must be a string")
		}
		members.key()
		if !s.quoted() {
			return false
		}
		members.value()
		if !s.space() {
			return s.failNext("EOF while parsing an object")
		}
		if s.data[s.at] != ':' {
			return s.failNext("expected `:`")
		}
		s.at++
		if !s.value(depth) {
			return false
		}
	}
}

func (s *serde) write(text string) {
	if s.out != nil {
		s.out.WriteString(text)
	}
}

func (s *serde) writeBytes(p []byte) {
	if s.out != nil {
		s.out.Write(p)
	}
}
