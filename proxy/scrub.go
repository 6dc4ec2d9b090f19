package proxy

import (
	"net/http"
	"net/url"
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
// among the headers and the query of a request.
func scrub(next events.Recorder, r *http.Request) events.Recorder {
	if next == nil {
		return nil
	}
	var pairs []string
	add := func(secret string) {
		if len(secret) >= minSecretBytes {
			pairs = append(pairs, secret, scrubbed)
		}
	}
	for _, name := range []string{
		"Authorization", "Proxy-Authorization", "Api-Key", "X-Api-Key", "X-Goog-Api-Key", "Ocp-Apim-Subscription-Key", "X-Auth-Token", "X-Amz-Security-Token",
	} {
		for _, value := range r.Header[name] {
			add(value)
			if _, token, ok := strings.Cut(value, " "); ok {
				add(token)
			}
		}
	}
	for _, value := range r.Header["Cookie"] {
		add(value)
		for pair := range strings.SplitSeq(value, ";") {
			_, content, _ := strings.Cut(pair, "=")
			add(content)
		}
	}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if name, value, _ := strings.Cut(pair, "="); secretParameter(name) {
			add(value)
			if plain, err := url.QueryUnescape(value); err == nil && plain != value {
				add(plain)
			}
		}
	}
	if pairs == nil {
		return next
	}
	return &scrubber{next: next, replacer: strings.NewReplacer(pairs...)}
}

// secretParameter reports whether the value of a parameter of a query is a
// credential.
func secretParameter(name string) bool {
	name = strings.ToLower(name)
	for _, end := range []string{"key", "token", "secret", "password", "sig", "signature", "code", "auth"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
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
	case *events.WebSocketEvent:
		if event.ErrorMessage != "" {
			changed := *event
			changed.ErrorMessage = s.replacer.Replace(event.ErrorMessage)
			r.Event = &changed
		}
	case *events.APIRequest:
		if event.Failed() {
			changed := *event
			changed.ErrorMessage, changed.Refusal = s.replacer.Replace(event.ErrorMessage), s.replacer.Replace(event.Refusal)
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
