package console

import (
	"testing"
	"unicode"
)

func FuzzEscape(f *testing.F) {
	f.Add("a\x1b[31m\u202e\xff漢\U000e0001", 7)
	f.Add("", 1)
	f.Fuzz(func(t *testing.T, s string, columns int) {
		got := escape(s, columns)
		if columns > 0 && textColumns(got) > columns {
			t.Errorf("escape(%q, %d) = %q, %d columns", s, columns, got, textColumns(got))
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Errorf("escape(%q, %d) = %q has %U", s, columns, got, r)
			}
		}
	})
}
