package config

import (
	"errors"
	"strings"
)

// maxExpandedBytes bounds what all references together may expand to.
const maxExpandedBytes = 4 << 20

var (
	errReference = errors.New("contains a ${ that is no variable reference")
	errTooLong   = errors.New("expands to too much text")
)

// expander replaces variable references in strings.
type expander struct {
	env    map[string]string
	used   map[string]bool // every variable a reference named
	budget int
}

func newExpander(env map[string]string) *expander {
	return &expander{env: env, used: map[string]bool{}, budget: maxExpandedBytes}
}

// expand returns s with its references replaced, and the names of the variables that are unset or empty and have no
// default. The error is errReference or errTooLong and carries nothing of s.
func (x *expander) expand(s string) (expanded string, unset []string, err error) {
	var b strings.Builder
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			b.WriteString(s)
			return b.String(), unset, nil
		}
		if i > 0 && s[i-1] == '$' {
			b.WriteString(s[:i-1])
			b.WriteString("${")
			s = s[i+2:]
			continue
		}
		b.WriteString(s[:i])
		reference, rest, closed := strings.Cut(s[i+2:], "}")
		name, fallback, hasFallback := strings.Cut(reference, ":-")
		if !closed || !isVariable(name) {
			return "", nil, errReference
		}
		x.used[name] = true
		value := x.env[name]
		switch {
		case value != "":
		case hasFallback:
			value = fallback
		default:
			unset = append(unset, name)
		}
		if x.budget -= len(value); x.budget < 0 {
			return "", nil, errTooLong
		}
		b.WriteString(value)
		s = rest
	}
}

// isVariable reports whether name is a POSIX environment variable name.
func isVariable(name string) bool {
	for i, c := range []byte(name) {
		switch {
		case c == '_', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z':
		case i > 0 && '0' <= c && c <= '9':
		default:
			return false
		}
	}
	return name != ""
}
