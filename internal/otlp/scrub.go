package otlp

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

const (
	// maxMessageRunes bounds a collector's words in logs and stats.
	maxMessageRunes = 200
	redacted        = "[REDACTED]"
	// minSecretBytes keeps values such as "1" from garbling every message.
	minSecretBytes = 4
)

// scrubber removes the configured credentials from texts that others wrote: a
// collector may well say which token it did not like.
type scrubber struct {
	secrets []string // longest first
}

func newScrubber(headers map[string]string, endpoint *url.URL) *scrubber {
	var secrets []string
	add := func(s string) {
		if len(s) >= minSecretBytes {
			secrets = append(secrets, s)
		}
	}
	for _, value := range headers {
		add(value)
		// "Bearer TOKEN" is a secret as a whole and in its last word.
		for word := range strings.FieldsSeq(value) {
			add(word)
		}
	}
	if endpoint.User != nil {
		add(endpoint.User.Username())
		password, _ := endpoint.User.Password()
		add(password)
		add(endpoint.User.String())
		// What net/http makes of them.
		add(base64.StdEncoding.EncodeToString([]byte(endpoint.User.Username() + ":" + password)))
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return &scrubber{secrets: secrets}
}

// clean returns s without credentials, printable, on one line and cut to
// maxMessageRunes.
func (s *scrubber) clean(text string) string {
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	var b strings.Builder
	runes := 0
	for _, r := range text {
		if runes == maxMessageRunes {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
		runes++
	}
	return strings.TrimSpace(b.String())
}
