package responses

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf16"
)

// quoted reads a string whose opening quote is known to be there.
func (s *serde) quoted() bool {
	s.at++
	s.write(`"`)
	start := s.at // of what was not written yet
	for s.at < len(s.data) {
		switch c := s.data[s.at]; {
		case c == '"':
			s.writeBytes(s.data[start:s.at])
			s.at++
			s.write(`"`)
			return true
		case c == '\\':
			s.writeBytes(s.data[start:s.at])
			s.at++
			if !s.escape() {
				return false
			}
			start = s.at
		case c < ' ':
			s.at++
			return s.fail(`control character (\u0000-\u001F) found while parsing a string`)
		default:
			s.at = skipPlain(s.data, s.at+1)
		}
	}
	return s.fail(endOfString)
}

// skipPlain returns the offset of the next byte that means something in a string: a
// quote, a backslash or a control character; the end of data if there is none. It
// looks at eight bytes at a time, with the arithmetic of Hacker's Delight §6-1: of
// the bytes marked, the first is marked rightly.
func skipPlain(data []byte, at int) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	for ; at+8 <= len(data); at += 8 {
		v := binary.LittleEndian.Uint64(data[at:])
		quote, backslash := v^ones*'"', v^ones*'\\'
		if found := ((quote-ones)&^quote | (backslash-ones)&^backslash | (v-ones*' ')&^v) & highs; found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for at < len(data) && data[at] != '"' && data[at] != '\\' && data[at] >= ' ' {
		at++
	}
	return at
}

const endOfString = "EOF while parsing a string"

// escape reads what follows a backslash.
func (s *serde) escape() bool {
	if s.at == len(s.data) {
		return s.fail(endOfString)
	}
	c := s.data[s.at]
	s.at++
	switch c {
	case '"', '\\', 'b', 'f', 'n', 'r', 't':
		s.write(`\` + string(rune(c)))
		return true
	case '/':
		s.write("/")
		return true
	case 'u':
		return s.unicode()
	default:
		return s.fail("invalid escape")
	}
}

// unicode reads the digits of a \u escape, and the second escape of a pair.
func (s *serde) unicode() bool {
	first, ok := s.hex()
	switch {
	case !ok:
		return false
	case first >= 0xDC00 && first <= 0xDFFF:
		return s.fail("lone leading surrogate in hex escape")
	case first < 0xD800 || first > 0xDBFF:
		s.writeRune(first)
		return true
	}
	for _, c := range []byte(`\u`) {
		if s.at == len(s.data) {
			return s.fail(endOfString)
		}
		s.at++
		if s.data[s.at-1] != c {
			return s.fail("unexpected end of hex escape")
		}
	}
	second, ok := s.hex()
	switch {
	case !ok:
		return false
	case second < 0xDC00 || second > 0xDFFF:
		return s.fail("lone leading surrogate in hex escape")
	}
	s.writeRune(utf16.DecodeRune(first, second))
	return true
}

func (s *serde) hex() (rune, bool) {
	if len(s.data)-s.at < 4 {
		s.at = len(s.data)
		return 0, s.fail(endOfString)
	}
	var r rune
	for _, c := range s.data[s.at : s.at+4] {
		digit, ok := hexDigit(c)
		if !ok {
			s.at += 4
			return 0, s.fail("invalid escape")
		}
		r = r<<4 | digit
	}
	s.at += 4
	return r, true
}

func hexDigit(c byte) (rune, bool) {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0'), true
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10, true
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10, true
	default:
		return 0, false
	}
}

// writeRune writes a character the way serde_json does: only quotes,
// backslashes and control characters are escaped.
func (s *serde) writeRune(r rune) {
	switch {
	case s.out == nil:
	case r == '"' || r == '\\':
		s.out.WriteByte('\\')
		s.out.WriteRune(r)
	case r >= ' ':
		s.out.WriteRune(r)
	case r == '\b':
		s.out.WriteString(`\b`)
	case r == '\t':
		s.out.WriteString(`\t`)
	case r == '\n':
		s.out.WriteString(`\n`)
	case r == '\f':
		s.out.WriteString(`\f`)
	case r == '\r':
		s.out.WriteString(`\r`)
	default:
		if r < 0x10 {
			s.out.WriteString(`\u000`)
		} else {
			s.out.WriteString(`\u00`)
		}
		s.out.WriteString(strconv.FormatInt(int64(r), 16))
	}
}
