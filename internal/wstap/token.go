package wstap

import "strings"

// cutParam reads a name and, if it has one, its value, quoted or not (RFC 6455 §9.1).
func cutParam(s string) (name, value string, valued bool, rest string, err error) {
	name, rest = cutToken(s)
	if name == "" {
		return "", "", false, "", errSyntax
	}
	after := skipSpace(rest)
	if after == "" || after[0] != '=' {
		return name, "", false, rest, nil
	}
	after = skipSpace(after[1:])
	if after != "" && after[0] == '"' {
		value, rest = cutQuoted(after[1:])
	} else {
		value, rest = cutToken(after)
	}
	if value == "" {
		return "", "", false, "", errSyntax
	}
	return name, value, true, rest, nil
}

// cutToken cuts a token off the beginning, which is empty if there is none.
func cutToken(s string) (token, rest string) {
	n := 0
	for n < len(s) && isTokenByte(s[n]) {
		n++
	}
	return s[:n], s[n:]
}

// cutQuoted cuts the rest of a quoted string off the beginning. What it says must be a token; it is empty if it is not.
func cutQuoted(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '"' {
			return b.String(), s[i+1:]
		}
		if c == '\\' && i+1 < len(s) {
			i++
			c = s[i]
		}
		if !isTokenByte(c) {
			break
		}
		b.WriteByte(c)
	}
	return "", ""
}

// isTokenByte reports whether a byte may stand in a token (RFC 9110 §5.6.2).
func isTokenByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	default:
		return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
	}
}

func skipSpace(s string) string {
	return strings.TrimLeft(s, " \t")
}
