package report

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// maxDigits bounds a number told as a string; all such numbers are below
// maxInteger.
const maxDigits = 15

// value is one value of an item, of the kind of its attribute.
type value struct {
	text     string
	number   int64
	flag     bool
	repaired bool
}

// parse reads a value as the attribute wants it.
func (a *attribute) parse(raw []byte) (value, *Problem) {
	if at := invalidUTF8(raw); at >= 0 {
		return value{}, a.problem(reasonEncoding, fmt.Sprintf("want UTF-8, got another byte at %d of the value", at))
	}
	switch a.kind {
	case kindInteger:
		return a.parseInteger(raw)
	case kindBoolean:
		return a.parseBoolean(raw)
	default:
		return a.parseText(raw)
	}
}

func (a *attribute) problem(r reason, message string) *Problem {
	return &Problem{Field: a.name, Message: message, reason: r}
}

func (a *attribute) mistyped(want string, raw []byte) *Problem {
	got := typeName(raw)
	if got == "null" {
		got += "; leave the key out when there is no value"
	}
	return a.problem(reasonType, "want "+want+", got "+got)
}

func (a *attribute) parseText(raw []byte) (value, *Problem) {
	if raw[0] != '"' {
		return value{}, a.mistyped("a string", raw)
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return value{}, a.mistyped("a string", raw)
	}
	if a.values != nil {
		return a.parseEnum(text)
	}
	switch {
	case len(text) > a.maxBytes:
		return value{}, a.problem(reasonSize, fmt.Sprintf("want at most %d bytes, got %d", a.maxBytes, len(text)))
	case text == "" && a.nonEmpty && a.required:
		return value{}, a.problem(reasonValue, "want a string that is not empty")
	case text == "" && a.nonEmpty:
		return value{}, a.problem(reasonValue, "want a string that is not empty; leave the key out when there is no value")
	case a.pattern != nil && !a.pattern.MatchString(text):
		return value{}, a.problem(reasonValue, "want "+a.want)
	}
	return value{text: text, repaired: halfSurrogate(raw)}, nil
}

func (a *attribute) parseEnum(text string) (value, *Problem) {
	lower := asciiLower(text)
	for _, allowed := range a.values {
		if lower == allowed {
			return value{text: allowed}, nil
		}
	}
	if allowed, ok := a.aliases[lower]; ok {
		return value{text: allowed}, nil
	}
	return value{}, a.problem(reasonValue, "want one of "+strings.Join(a.values, ", ")+"; got "+echo(text))
}

// asciiLower is strings.ToLower without its opinion that the Kelvin sign is a k.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func (a *attribute) parseInteger(raw []byte) (value, *Problem) {
	want := fmt.Sprintf("an integer from 0 to %d", int64(maxInteger))
	if a.digits {
		want += " or its decimal digits in a string"
	}
	switch {
	case raw[0] == '"' && a.digits:
		var text string
		if err := json.Unmarshal(raw, &text); err != nil || len(text) > maxDigits {
			return value{}, a.problem(reasonValue, "want "+want)
		}
		number, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return value{}, a.problem(reasonValue, "want "+want)
		}
		return value{number: int64(number)}, nil
	case raw[0] != '-' && (raw[0] < '0' || raw[0] > '9'):
		return value{}, a.mistyped(want, raw)
	}
	// Languages without integers write 3.0. Exponents are beyond what a count of
	// anything needs.
	whole, fraction, _ := strings.Cut(string(raw), ".")
	number, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || strings.Trim(fraction, "0") != "" {
		return value{}, a.problem(reasonValue, "want "+want)
	}
	if number < 0 || number > maxInteger {
		return value{}, a.problem(reasonValue, "want "+want)
	}
	return value{number: number}, nil
}

func (a *attribute) parseBoolean(raw []byte) (value, *Problem) {
	switch raw[0] {
	case 't', 'f':
		return value{flag: raw[0] == 't'}, nil
	case '"':
		var text string
		if err := json.Unmarshal(raw, &text); err == nil && (text == "true" || text == "false") {
			return value{flag: text == "true"}, nil
		}
		return value{}, a.problem(reasonValue, "want true or false; got "+echo(text))
	default:
		return value{}, a.mistyped(`true, false, "true" or "false"`, raw)
	}
}
