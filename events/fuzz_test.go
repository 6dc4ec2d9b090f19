package events

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzEncoderClean(f *testing.F) {
	f.Add("hello", 0)
	f.Add("hello", 1)
	f.Add(strings.Repeat("ä👋", 30), 41)
	f.Add(strings.Repeat("a\x00\xff", 30), 50)
	f.Add("\xed\xa0\x80", 3)
	f.Add(strings.Repeat("\xf0\x9f\x91", 40), 64)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		e := &Encoder{MaxValueBytes: limit}
		got := e.clean(s)
		if limit <= 0 {
			limit = DefaultMaxValueBytes
		}
		if bound := max(limit, len(Truncate("", 0, len(s)))); len(got) > bound {
			t.Errorf("clean(%q) = %q, %d bytes; want at most %d", s, got, len(got), bound)
		}
		if !utf8.ValidString(got) || strings.Contains(got, "\x00") {
			t.Errorf("clean(%q) = %q; want valid UTF-8 without NULs", s, got)
		}
		if again := e.clean(got); len(got) <= limit && again != got {
			t.Errorf("clean(clean(%q)) = %q; want %q", s, again, got)
		}
		if untouched := e.Repaired() == 0 && e.Truncated() == 0; untouched && got != s {
			t.Errorf("clean(%q) = %q without a count", s, got)
		}
	})
}
