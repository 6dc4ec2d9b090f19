package events

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxBodyBytes bounds the body of a record.
const maxBodyBytes = 256

// clean returns s as valid UTF-8 without NULs and no longer than allowed.
func (e *Encoder) clean(s string) string {
	limit := e.MaxValueBytes
	if limit <= 0 {
		limit = DefaultMaxValueBytes
	}
	s, repaired, truncated := CleanText(s, limit)
	if repaired {
		e.repaired.Add(1)
	}
	if truncated {
		e.truncated.Add(1)
	}
	return s
}

// CleanText returns s as valid UTF-8 without NULs and in at most limit bytes, and
// whether it had to be repaired or cut. What is beyond the limit is neither looked
// at nor kept.
func CleanText(s string, limit int) (clean string, repaired, truncated bool) {
	size := len(s)
	s = cut(s, limit)
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		repaired = true
		s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	}
	// Repairing makes a string longer.
	if size > limit || len(s) > limit {
		truncated = true
		s = Truncate(s, limit, size)
	}
	return s, repaired, truncated
}

// Truncate cuts s to limit bytes, the mark that tells the original size included.
func Truncate(s string, limit, size int) string {
	mark := "… [truncated, " + strconv.Itoa(size) + " bytes]"
	return cut(s, limit-len(mark)) + mark
}

// cut returns at most limit bytes of s, not ending inside a character.
func cut(s string, limit int) string {
	switch {
	case limit <= 0:
		return ""
	case len(s) <= limit:
		return s
	}
	end := limit
	// An invalid string may have no start of a character anywhere near.
	for end > 0 && end > limit-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// line returns s as one short line of printable characters: the names in a
// summary come from the wire, and a log viewer shows them as they are.
func line(s string) string {
	const ellipsis = "…"
	if len(s) > maxBodyBytes {
		s = cut(s, maxBodyBytes-len(ellipsis)) + ellipsis
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}
