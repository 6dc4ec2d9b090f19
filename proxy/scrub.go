package proxy

import (
	"net/http"
	"strings"

	"github.com/codex-proxy/codex-proxy/events"
)

// scrubbed stands for a credential that an upstream repeated.
const scrubbed = "[CREDENTIAL]"

// minSecretBytes is how long a value must be to be looked for: anything shorter
// is found in ordinary words.
const minSecretBytes = 8

// scrubber is a Recorder that takes the credentials of a request out of the
// texts that its upstream wrote: "Incorrect API key provided: ..." may quote the
// key.
type scrubber struct {
	next     events.Recorder
	replacer *strings.Replacer
}

// scrub returns next, or a recorder in front of it that knows the credentials
// among header.
func scrub(next events.Recorder, header http.Header) events.Recorder {
	if next == nil {
		return nil
	}
	var pairs []string
	add := func(secret string) {
		if len(secret) >= minSecretBytes {
			pairs = append(pairs, secret, scrubbed)
		}
	}
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Api-Key", "X-Api-Key", "Cookie"} {
		for _, value := range header[name] {
			add(value)
			if _, token, ok := strings.Cut(value, " "); ok {
				add(token)
			}
		}
	}
	if pairs == nil {
		return next
	}
	return &scrubber{next: next, replacer: strings.NewReplacer(pairs...)}
}

// Record implements events.Recorder. Most events have no such text.
func (s *scrubber) Record(r events.Record) {
	switch event := r.Event.(type) {
	case *events.SSEEvent:
		if event.ErrorMessage != "" {
			changed := *event
			changed.ErrorMessage = s.replacer.Replace(event.ErrorMessage)
			r.Event = &changed
		}
	case *events.APIRequest:
		if event.Failed() {
			changed := *event
			changed.ErrorMessage = s.replacer.Replace(event.ErrorMessage)
			changed.AuthError, changed.AuthCode = s.replacer.Replace(event.AuthError), s.replacer.Replace(event.AuthCode)
			r.Event = &changed
		}
	case *events.WebSocketConnect:
		if event.Failed() {
			changed := *event
			changed.ErrorMessage = s.replacer.Replace(event.ErrorMessage)
			changed.AuthError, changed.AuthCode = s.replacer.Replace(event.AuthError), s.replacer.Replace(event.AuthCode)
			r.Event = &changed
		}
	}
	s.next.Record(r)
}
