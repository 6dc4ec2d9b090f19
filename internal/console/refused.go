package console

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// maxRefusal bounds what is read of a response that is not a feed.
const maxRefusal = 512

// refusedError is a response other than the feed.
type refusedError struct {
	status int
	text   string
}

// Error implements error.
func (e *refusedError) Error() string { return "follow live feed: " + e.text }

// permanent reports whether to ask again is pointless.
func (e *refusedError) permanent() bool {
	return e.status == http.StatusOK ||
		e.status >= 400 && e.status < 500 && e.status != http.StatusRequestTimeout && e.status != http.StatusTooManyRequests
}

// checkFeed returns an error that says what to do unless the response is a
// feed.
func checkFeed(resp *http.Response, u *url.URL) error {
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode == http.StatusOK && mediaType == "text/event-stream" {
		return nil
	}
	refused := &refusedError{status: resp.StatusCode}
	switch resp.StatusCode {
	case http.StatusOK:
		refused.text = fmt.Sprintf("%s answers, but not with a feed (%s)", u.Redacted(), escape(mediaType, maxRefusal))
	case http.StatusForbidden:
		refused.text = fmt.Sprintf("%s is forbidden (403): the proxy allows only the hosts it was configured for%s", u.Redacted(), said(resp))
	case http.StatusNotFound:
		refused.text = fmt.Sprintf("nothing at %s (404): is this a codex-proxy, with its live feed switched on?", u.Redacted())
	default:
		refused.text = fmt.Sprintf("%s answers %d%s", u.Redacted(), resp.StatusCode, said(resp))
	}
	return refused
}

// said returns the first line of a refusal, for the end of a message.
func said(resp *http.Response) string {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	if line == "" {
		return ""
	}
	return ": " + escape(line, maxRefusal)
}
