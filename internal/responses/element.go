package responses

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// treatment says what becomes of a value.
type treatment uint8

const (
	skipped treatment = iota
	kept              // as a whole
	shown             // element by element; as one if it is no array
)

// element is one element of an array, or a value that is none.
type element struct {
	key    []byte
	raw    []byte // valid until the call returns, like key
	offset int64  // in the document
	cut    bool   // something in it was left out
	whole  bool   // the value itself
}

const (
	// maxStringBytes bounds what is held of one string of an element: as much as
	// an attribute may have. An image before a text does not hide the text.
	maxStringBytes = 512 << 10
	// maxElementBytes bounds what is held of an element.
	maxElementBytes = 1 << 20
)

// betweenElements takes a byte of the array whose elements are shown.
func (s *scanner) betweenElements(p []byte, i int) {
	switch p[i] {
	case ' ', '\t', '\r', '\n':
	case ',', ']', '}':
		s.closeElement(p, i)
	default:
		if !s.open {
			s.openElement(i)
		}
	}
}

func (s *scanner) openElement(i int) {
	s.open, s.mark, s.start = true, i, s.read+int64(i)
	if s.shared {
		s.held, s.shared = nil, false
	}
	s.held, s.cut = s.held[:0], false
}

// closeElement shows the element that ends before i, if one is under way.
func (s *scanner) closeElement(p []byte, i int) {
	if !s.open {
		return
	}
	s.open = false
	raw := s.held
	if len(raw) == 0 && s.mark >= 0 {
		raw = p[s.mark:i]
	} else if s.mark >= 0 {
		s.hold(p[s.mark:i])
		raw = s.held
	}
	s.mark = -1
	s.show(element{key: s.key, raw: raw, offset: s.start, cut: s.cut, whole: !s.array})
}

// hold keeps bytes of the element under way.
func (s *scanner) hold(p []byte) {
	if room := maxElementBytes - len(s.held); len(p) > room {
		p, s.cut = p[:max(0, room)], true
	}
	s.held = append(s.held, p...)
}

// elide stops holding a string that is too long.
func (s *scanner) elide(p []byte, start, end int) {
	room := maxStringBytes - s.strings
	s.strings += end - start
	if s.eliding || end-start <= room {
		return
	}
	s.hold(p[s.mark : start+room])
	s.mark, s.eliding, s.cut = -1, true, true
	s.held = slices.Clip(s.held[:wholeCharacters(s.held)]) // What was cut off may be a checkpoint's.
}

// wholeCharacters returns how much of p can stay when the string at its end is
// cut there: no part of an escape or of a character.
func wholeCharacters(p []byte) int {
	const longest = len(`\ud83d\udc4b`)
	near := max(0, len(p)-longest)
	end := len(p)
	if at := bytes.IndexByte(p[near:], '\\'); at >= 0 {
		end = near + at
	}
	for end > 0 && oddBackslashes(p[:end]) {
		end--
	}
	for n := 1; n < utf8.UTFMax && n <= end; n++ {
		if c := p[end-n]; utf8.RuneStart(c) {
			if !utf8.FullRune(p[end-n : end]) {
				end -= n
			}
			break
		}
	}
	return end
}
