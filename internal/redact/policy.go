package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"unicode/utf8"

	"github.com/codex-proxy/codex-proxy/events"
)

// Mode is how much of a content is told.
type Mode uint8

// The modes.
const (
	ModeFull     Mode = iota // the text, but for its credentials
	ModeRedacted             // [REDACTED]
	ModeHash                 // the hash of the text under Policy.Key
	ModeOff                  // nothing, not even the attribute
)

// HashPrefix begins what is told of a text that is hashed; the hash follows in
// hexadecimal digits.
const HashPrefix = "hmac-sha256:"

// Policy says what is told of one kind of content. The zero Policy tells all.
type Policy struct {
	Mode Mode
	// MaxBytes bounds the text, the mark of a cut included; 0 means
	// events.DefaultMaxValueBytes.
	MaxBytes int
	// Key is that of ModeHash. Equal texts have equal hashes under equal keys, and
	// without the key nobody can try which text has a hash.
	Key []byte
}

// slackBytes is how far behind the limit credentials are looked for, so that none
// is cut before it is known.
const slackBytes = 64 << 10

// apply returns what is told of a text, false for nothing at all.
func (p *Policy) apply(text string, scan func(string) string) (told string, ok bool) {
	switch p.Mode {
	case ModeRedacted:
		return events.Redacted, true
	case ModeHash:
		// What an agent has redacted itself says nothing.
		if text == events.Redacted {
			return text, true
		}
		return p.hash(text), true
	case ModeOff:
		return "", false
	default:
		return p.full(text, scan), true
	}
}

// hash returns the hash of the whole text, credentials included.
func (p *Policy) hash(text string) string {
	mac := hmac.New(sha256.New, p.Key)
	mac.Write([]byte(text))
	return HashPrefix + hex.EncodeToString(mac.Sum(nil))
}

// full returns the text without its credentials, as far as it may be told.
func (p *Policy) full(text string, scan func(string) string) string {
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
	told := scan(text)
	if size > limit {
		told = events.Truncate(told, limit, size)
	}
	return told
}
