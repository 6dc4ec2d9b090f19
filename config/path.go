package config

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxShownRunes bounds a key or a file name in a message.
const maxShownRunes = 80

// join appends a key to a dotted path.
func join(path, key string) string {
	if path == "" {
		return quoteKey(key)
	}
	return path + "." + quoteKey(key)
}

// item appends an index to a path.
func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// around yields path and the paths of what it is in, from the inside out. A quoted key with a dot in it yields paths
// that do not exist, which no one looks for.
func around(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		path, _, _ := strings.Cut(path, "[")
		for path != "" && yield(path) {
			path = path[:max(0, strings.LastIndexByte(path, '.'))]
		}
	}
}

// isIn reports whether path, or something it is in, is in set.
func isIn(set map[string]bool, path string) bool {
	for path := range around(path) {
		if set[path] {
			return true
		}
	}
	return false
}

// quoteKey returns key as it stands in TOML, shortened where it is absurdly long.
func quoteKey(key string) string {
	key = shorten(key)
	for _, c := range []byte(key) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return quote(key)
		}
	}
	if key == "" {
		return quote(key)
	}
	return key
}

// quote returns s as a TOML basic string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"', c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ', 0x7f <= c && c < 0xa0, c == '\u2028', c == '\u2029':
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// quoteLong returns a file name fit for one line of a message.
func quoteLong(name string) string {
	name = shorten(name)
	if quoted := quote(name); len(quoted) != len(name)+2 {
		return quoted
	}
	return name
}

func shorten(s string) string {
	if utf8.RuneCountInString(s) <= maxShownRunes {
		return s
	}
	return string([]rune(s)[:maxShownRunes]) + "…"
}
