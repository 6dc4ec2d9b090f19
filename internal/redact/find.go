package redact

import "strings"

// find is what a rule matched in a text.
type find struct {
	text                   string
	matchStart, matchEnd   int
	secretStart, secretEnd int
}

func (f find) secret() string { return f.text[f.secretStart:f.secretEnd] }

// maxLabelBytes is what gitleaks takes before a label.
const maxLabelBytes = 50

// match returns the match with the rest of its label.
func (f find) match() string {
	start := f.matchStart
	for start > 0 && f.matchStart-start < maxLabelBytes && isLabel(f.text[start-1]) {
		start--
	}
	return f.text[start:f.matchEnd]
}

// maxLineBytes bounds what is looked at on each side of a match.
const maxLineBytes = 1024

// line returns the lines that the match is on, as far as they are near.
func (f find) line() string {
	start, end := max(0, f.matchStart-maxLineBytes), min(len(f.text), f.matchEnd+maxLineBytes)
	if i := strings.LastIndexByte(f.text[start:f.matchStart], '\n'); i >= 0 {
		start += i + 1
	}
	if i := strings.IndexByte(f.text[f.matchEnd:end], '\n'); i >= 0 {
		end = f.matchEnd + i
	}
	return f.text[start:end]
}

// isWord reports whether b is one of \w.
func isWord(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
}

func isLabel(b byte) bool { return isWord(b) || b == '.' || b == '-' }

// isToken reports whether b is one of those that credentials are made of.
func isToken(b byte) bool {
	return isLabel(b) || b == '+' || b == '/' || b == '=' || b == '~' || b == '%'
}

// beginsAt reports whether a word begins at i. What is escaped in JSON ends before
// it: the n of \n is no letter of a word.
func beginsAt(text string, i int) bool {
	return i == 0 || !isWord(text[i-1]) || isEscape(text, i)
}

// isEscape reports whether what ends at i is an escape sequence such as \n or \u0026.
func isEscape(text string, i int) bool {
	escaped := func(letter int) bool {
		slashes := 0
		for letter-slashes > 0 && slashes < 16 && text[letter-slashes-1] == '\\' {
			slashes++
		}
		return slashes > 0
	}
	switch {
	case i >= 2 && strings.IndexByte("nrtbf", text[i-1]) >= 0 && escaped(i-1):
		return true
	case i >= 6 && text[i-5] == 'u':
		return escaped(i - 5)
	default:
		return false
	}
}

// labels reports whether a label's tail and an operator follow at i: the part of a
// labeled rule that most occurrences of its keyword lack.
func labels(text string, i int) bool {
	const tail, quotes = 20, 5
	end := min(len(text), i+tail)
	for i < end && (isLabel(text[i]) || text[i] == ' ' || text[i] == '\t') {
		i++
	}
	end = min(len(text), i+quotes)
	for i < end && strings.IndexByte(" \t\r\n\f'\"\\", text[i]) >= 0 {
		i++
	}
	return i < len(text) && strings.IndexByte("=>:|?,", text[i]) >= 0
}
