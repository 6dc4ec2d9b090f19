package responses

import (
	"strconv"
	"unicode/utf8"
)

// invalidText is what Codex says about the first bytes in data that are not
// UTF-8. It waits for more of them until the stream ends, so that they are then
// the first of what it has.
func invalidText(data []byte) string {
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size <= 1 {
			break
		}
		data = data[size:]
	}
	return "UTF8 error: invalid utf-8 sequence of " + strconv.Itoa(invalidLength(data)) + " bytes from index 0"
}

// invalidLength returns how many bytes at the beginning of data are the start of
// a character that does not go on, as Rust counts them.
func invalidLength(data []byte) int {
	n := 1
	// What is not full could be completed by more bytes.
	for n < min(len(data), utf8.UTFMax) && !utf8.FullRune(data[:n]) {
		n++
	}
	if n <= len(data) && utf8.FullRune(data[:n]) {
		return max(1, n-1)
	}
	return n
}
