package proxy

import (
	"io"
	"net/http"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/coding"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// maxRefusalBytes bounds what is kept of the body of a refusal. One that is
// longer is told without its body.
const maxRefusalBytes = 64 << 10

// refused has the record of a refusal wait for the body, if the agent's release
// of Codex tells of it, and reports whether it does.
func (e *exchange) refused(response *http.Response, record events.Record) bool {
	event, ok := record.Event.(*events.APIRequest)
	if !ok || !record.Scope.Profile.TellsRefusal() || !coding.Identity(response.Header["Content-Encoding"]) ||
		response.ContentLength > maxRefusalBytes || e.in.Method == http.MethodHead {
		return false
	}
	response.Body = &refusalBody{ReadCloser: response.Body, end: func(body []byte, whole bool) {
		defer e.contain()
		if whole {
			event.Refusal = responses.RefusalText(response.StatusCode, body)
		}
		e.recorder.Record(record)
	}}
	return true
}

// refusalBody is the body of a refusal. It is read by one goroutine.
type refusalBody struct {
	io.ReadCloser
	end  func(body []byte, whole bool) // called once; whole if it was read to its end and kept
	kept []byte
	cut  bool
	read bool // to its end
}

// Read implements io.Reader.
func (b *refusalBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if room := maxRefusalBytes - len(b.kept); n > room {
		b.cut = true
	} else {
		b.kept = append(b.kept, p[:n]...)
	}
	b.read = b.read || err == io.EOF
	return n, err
}

// Close implements io.Closer.
func (b *refusalBody) Close() error {
	err := b.ReadCloser.Close()
	if b.end != nil {
		b.end(b.kept, b.read && !b.cut)
		b.end = nil
	}
	return err
}
