package responses

import (
	"strconv"
	"strings"

	"github.com/codex-proxy/codex-proxy/events"
)

// numbers says how serde_json keeps numbers, and writes them again.
type numbers uint8

const (
	numbersExact  numbers = iota // of any size, as their digits: its feature arbitrary_precision
	numbersSigned                // in 64 bits, 1e20 as 1e+20
	numbersPlain                 // in 64 bits, 1e20 as 1e20
)

// numbersOf returns how the serde_json inside a release of Codex keeps numbers.
func numbersOf(profile events.Profile) numbers {
	switch {
	case profile.Since(140):
		return numbersExact
	case profile.Since(95):
		return numbersSigned
	default:
		return numbersPlain
	}
}

// number reads a number.
func (s *serde) number() bool {
	start := s.at
	if s.peek() == '-' {
		s.at++
	}
	whole := s.at
	if s.at == len(s.data) {
		return s.fail("EOF while parsing a value")
	}
	s.at++
	switch c := s.data[s.at-1]; {
	case c == '0':
		if digit(s.peek()) {
			return s.failNext(invalidNumber)
		}
	case digit(c):
		s.digits()
	default:
		return s.fail(invalidNumber)
	}
	point := s.at
	if s.peek() == '.' {
		s.at++
		if s.digits() == 0 {
			if s.at < len(s.data) {
				return s.failNext(invalidNumber)
			}
			return s.failNext("EOF while parsing a value")
		}
	}
	power := s.at
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		if s.at == len(s.data) {
			return s.fail("EOF while parsing a value")
		}
		s.at++
		if !digit(s.data[s.at-1]) {
			return s.fail(invalidNumber)
		}
		s.digits()
	}
	if s.at == point && point-whole < 19 && (s.data[whole] != '0' || whole == start) {
		s.writeBytes(s.data[start:s.at]) // an integer of 64 bits, and not -0
		return true
	}
	literal := numeral{
		negative: whole > start,
		whole:    string(s.data[whole:point]),
		fraction: strings.TrimPrefix(string(s.data[point:power]), "."),
		exponent: string(s.data[power:s.at]),
	}
	if s.numbers == numbersExact {
		if s.out != nil {
			s.out.WriteString(literal.digits())
		}
		return true
	}
	return s.limited(literal)
}

const invalidNumber = "invalid number"

func digit(c byte) bool { return '0' <= c && c <= '9' }

// digits skips digits and returns how many there were.
func (s *serde) digits() int {
	start := s.at
	for digit(s.peek()) {
		s.at++
	}
	return s.at - start
}

// limited tells a number of which serde_json keeps a 64-bit value.
func (s *serde) limited(n numeral) bool {
	if text, ok := n.integer(); ok && (text != "0" || !n.negative) {
		s.write(text)
		return true
	}
	f, used, ok := n.float()
	if !ok {
		// The digits of an exponent beyond 31 bits are not read to their end.
		s.at -= len(n.exponent) - used
		return s.fail("number out of range")
	}
	if s.out != nil {
		s.out.WriteString(floatText(f, s.numbers))
	}
	return true
}

// numeral is a number as it was written.
type numeral struct {
	negative        bool
	whole, fraction string
	exponent        string // with its letter
}

func (n numeral) sign() string {
	if n.negative {
		return "-"
	}
	return ""
}

// digits is the number the way serde_json keeps the digits of one.
func (n numeral) digits() string {
	if text, ok := n.integer(); ok {
		return text
	}
	text := n.sign() + n.whole
	if n.fraction != "" {
		text += "." + n.fraction
	}
	if n.exponent == "" {
		return text
	}
	power := n.exponent[1:]
	if digit(power[0]) {
		power = "+" + power
	}
	return text + "e" + power
}

// integer is the number as one of 64 bits, if it is one.
func (n numeral) integer() (string, bool) {
	if n.fraction != "" || n.exponent != "" {
		return "", false
	}
	if n.negative {
		value, err := strconv.ParseInt("-"+n.whole, 10, 64)
		return strconv.FormatInt(value, 10), err == nil
	}
	value, err := strconv.ParseUint(n.whole, 10, 64)
	return strconv.FormatUint(value, 10), err == nil
}
