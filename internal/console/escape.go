package console

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escape returns s fit for one line of a terminal and at most columns wide;
// columns <= 0 means any width. Values come from the traffic: what a terminal
// could take for a command, and what changes the direction of text, is spelled
// out instead.
func escape(s string, columns int) string {
	var b strings.Builder
	used := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		piece := s[i : i+size]
		switch {
		case r == utf8.RuneError && size == 1:
			piece = fmt.Sprintf(`\x%02x`, s[i])
		case !unicode.IsPrint(r):
			piece = spell(r)
		}
		width := textColumns(piece)
		last := i+size == len(s)
		if columns > 0 && (used+width > columns || !last && used+width == columns) {
			b.WriteRune('…')
			break
		}
		b.WriteString(piece)
		used += width
		i += size
	}
	return b.String()
}

func spell(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	default:
		return fmt.Sprintf(`\U%08x`, r)
	}
}

// textColumns returns how wide s is, at least.
func textColumns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

// runeColumns returns the columns of a printable character: two in the blocks
// that terminals draw wide. Combining marks count as one, so that a line may be
// cut early and never late.
func runeColumns(r rune) int {
	switch {
	case r < 0x1100:
		return 1
	case r <= 0x115f, // Hangul initials
		r >= 0x2e80 && r <= 0xa4cf, // CJK, kana, Yi
		r >= 0xac00 && r <= 0xd7a3, // Hangul
		r >= 0xf900 && r <= 0xfaff, // CJK compatibility
		r >= 0xfe30 && r <= 0xfe6f,
		r >= 0xff00 && r <= 0xff60, // full-width forms
		r >= 0xffe0 && r <= 0xffe6,
		r >= 0x1f300 && r <= 0x1faff, // pictographs
		r >= 0x20000 && r <= 0x3fffd:
		return 2
	default:
		return 1
	}
}
