package redact

import (
	"unicode/utf8"

	"github.com/codex-proxy/codex-proxy/events"
)

// Mode is how much of a content is told.
type Mode uint8

// The modes.
const (
	ModeFull     Mode = iota // the text, but for its credentials
	ModeRedacted             // [REDACTED]
)

// Policy says what is told of one kind of content. The zero Policy tells all.
type Policy struct {
	Mode Mode
	// MaxBytes bounds the text, the mark of a cut included; 0 means
	// events.DefaultMaxValueBytes.
	MaxBytes int
}

// slackBytes is how far behind the limit credentials are looked for, so that none
// is cut before it is known.
const slackBytes = 64 << 10

// apply returns what is told of a text, false for nothing at all.
func (p *Policy) apply(text string, scan func(string) string) (told string, ok bool) {
	if p.Mode == ModeRedacted {
		return events.Redacted, true
	}
	limit := p.MaxBytes
	if limit <= 0 {
		limit = events.DefaultMaxValueBytes
	}
	size := len(text)
	if size > limit+slackBytes {
		end := limit + slackBytes
		for end > limit && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	told = scan(text)
	if size > limit {
		told = events.Truncate(told, limit, size)
	}
	return told, true
}
