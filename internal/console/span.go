package console

import (
	"strings"
	"time"
)

// Columns of a line.
const (
	nameColumns         = 14  // what an event is about, padded
	maxNameColumns      = 40  // where a name is cut
	conversationColumns = 6   // the end of a conversation's id, which is its random part
	maxValueColumns     = 400 // where a value is cut when the width has no limit
	minValueColumns     = 16
)

type style uint8

const (
	stylePlain style = iota
	styleDim
	styleFailure
	styleSuccess
	styleTraffic
	styleQuestion
	stylePrompt
)

// code returns the ANSI code that begins a style.
func (s style) code() string {
	switch s {
	case styleDim:
		return "\x1b[2m"
	case styleFailure:
		return "\x1b[31m"
	case styleSuccess:
		return "\x1b[32m"
	case styleTraffic:
		return "\x1b[36m"
	case styleQuestion:
		return "\x1b[33m"
	case stylePrompt:
		return "\x1b[1m"
	default:
		return ""
	}
}

// span is a piece of a line, escaped already.
type span struct {
	style style
	text  string
}

// appendSpans appends a line of at most width columns; width <= 0 means any.
func appendSpans(dst []byte, line []span, width int, color bool) []byte {
	total := 0
	for _, s := range line {
		total += textColumns(s.text)
	}
	left := total
	if width > 0 {
		left = width
	}
	for _, s := range line {
		text := s.text
		columns := textColumns(text)
		if total > left && columns >= left {
			// The rest does not fit: here is the end of the line.
			text = cutMore(text, left)
		}
		total -= columns
		left -= columns
		if text = trimLast(text, total); text == "" {
			continue
		}
		if code := s.style.code(); color && code != "" {
			dst = append(append(append(dst, code...), text...), "\x1b[0m"...)
		} else {
			dst = append(dst, text...)
		}
		if left <= 0 {
			break
		}
	}
	return dst
}

// cutMore cuts text to columns, an ellipsis included that says that more would
// follow.
func cutMore(text string, columns int) string {
	used := 0
	for i, r := range text {
		if used += runeColumns(r); used >= columns {
			return text[:i] + "…"
		}
	}
	return text
}

// trimLast drops the padding behind the last span of a line.
func trimLast(text string, following int) string {
	if following > 0 {
		return text
	}
	return strings.TrimRight(text, " ")
}

// padded fills text up to columns, or puts two spaces behind a longer one.
func padded(text string, columns int) string {
	return text + strings.Repeat(" ", max(2, columns-textColumns(text)))
}

// prefix returns the time and the conversation.
func (r *Renderer) prefix(at time.Time, conversation string) []span {
	clock := "--:--:--.---"
	if !at.IsZero() {
		location := r.Location
		if location == nil {
			location = time.Local
		}
		clock = at.In(location).Format("15:04:05.000")
	}
	return []span{
		{styleDim, clock + "  "},
		{stylePlain, padded(shortID(conversation), conversationColumns+2)},
	}
}

// shortID returns the end of an id.
func shortID(id string) string {
	if id == "" {
		return "-"
	}
	if runes := []rune(id); len(runes) > conversationColumns {
		id = string(runes[len(runes)-conversationColumns:])
	}
	return escape(id, conversationColumns)
}

// room returns the columns behind the prefix, or what one value may take when
// the width has no limit.
func (r *Renderer) room() int {
	if r.Width <= 0 {
		return maxValueColumns
	}
	return max(minValueColumns, r.Width-len("15:04:05.000  ")-conversationColumns-2)
}
