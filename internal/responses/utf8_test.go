package responses

import (
	"strconv"
	"testing"
)

func TestInvalidTextCountsBytes(t *testing.T) {
	for data, want := range map[string]int{
		"ab\xff": 1, "\x80": 1, "é\xc3": 1, "\xc3\"": 1, "\xe2\x82": 2, "\xe2\x82\"": 2, "\xe0\x80": 1, "\xf0\x90\x80\"": 3,
		"\xf0\x90\x80": 3, "\xf0\x90": 2, "\xf0\x80\x80\x80": 1, "\xed\xa0\x80": 1, "\xf5\x80": 1,
	} {
		text := "UTF8 error: invalid utf-8 sequence of " + strconv.Itoa(want) + " bytes from index 0"
		if got := invalidText([]byte(data)); got != text {
			t.Errorf("invalidText(%q) = %q; want %q", data, got, text)
		}
	}
}
