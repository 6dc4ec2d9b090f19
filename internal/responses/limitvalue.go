package responses

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/codex-proxy/codex-proxy/events"
)

// Bounds of the values that are told of quotas.
const (
	maxLimitBytes  = 128
	maxLimitNumber = 1 << 53
)

// number reads a whole number that is not negative.
func number(text string) events.Opt[int64] {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > maxLimitNumber {
		return events.Opt[int64]{}
	}
	return events.Some(n)
}

// percent reads a number that is not negative.
func percent(text string) events.Opt[float64] {
	if len(text) > maxLimitBytes {
		return events.Opt[float64]{}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || n < 0 || n > maxLimitNumber {
		return events.Opt[float64]{}
	}
	return events.Some(n)
}

// truth reads a boolean as Codex does.
func truth(text string) events.Opt[bool] {
	switch {
	case strings.EqualFold(text, "true"), text == "1":
		return events.Some(true)
	case strings.EqualFold(text, "false"), text == "0":
		return events.Some(false)
	default:
		return events.Opt[bool]{}
	}
}

// wait reads a duration such as 6m0s, or a number of seconds, in milliseconds.
func wait(text string) events.Opt[int64] {
	if len(text) > maxLimitBytes {
		return events.Opt[int64]{}
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return events.Opt[int64]{}
	}
	return events.Some(d.Milliseconds())
}

// short returns a text that may be told, "" for any other.
func short(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > maxLimitBytes || !utf8.ValidString(text) {
		return ""
	}
	return strings.Clone(text)
}

// limitID spells the id of a limit as Codex does, "" for what is none.
func limitID(text string) string {
	id := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(text)), "-", "_")
	foreign := func(r rune) bool { return r != '_' && r != '.' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }
	if len(id) > maxLimitBytes || strings.ContainsFunc(id, foreign) {
		return ""
	}
	return strings.Clone(id)
}
