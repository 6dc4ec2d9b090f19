package responsestest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// Ways for an answer to end other than by being written in full; see
// [Request.Err].
var (
	// ErrAborted is the end of an answer that was to break off.
	ErrAborted = errors.New("answer aborted as asked")
	// ErrClientGone is the end of an answer whose client left.
	ErrClientGone = errors.New("client left before the answer was complete")
	// ErrServerClosed is the end of an answer that the server's Close cut short.
	ErrServerClosed = errors.New("server closed before the answer was complete")
)

// Request is one recorded request. Its fields do not change once a test can see
// it, but Done and Err, which tell how the answer went.
type Request struct {
	Method string
	// RequestURI is the target as the client sent it, to the byte.
	RequestURI string
	// Path is the path in its escaped form, RawQuery the query without "?".
	Path, RawQuery string
	Host           string
	Header         http.Header
	// Trailer holds what followed the body, nil if nothing did.
	Trailer http.Header
	// Proto is "HTTP/1.1" or "HTTP/2.0", or "websocket" for a call that came as
	// a message.
	Proto string
	// RemoteAddr is the client's address; equal ones share a connection.
	RemoteAddr string
	// At is the time at which the headers had been read.
	At time.Time

	// Body is the body as received, cut at the server's limit.
	Body []byte
	// BodyBytes and BodySHA256 are length and digest of the whole body.
	BodyBytes  int64
	BodySHA256 [sha256.Size]byte
	// Truncated reports that Body is not all of it.
	Truncated bool
	// BodyErr says why reading the body failed, usually because the client left
	// in the middle. Such a request takes no answer and does not count as a call.
	BodyErr error

	end *ending
}

// ending is how the answer went. Copies of a request share it.
type ending struct {
	done chan struct{}
	err  error // written before done is closed
}

func newRequest(r *http.Request, maxBody int64) *Request {
	req := &Request{
		Method: r.Method, RequestURI: r.RequestURI, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery,
		Host: r.Host, Header: r.Header.Clone(), Proto: r.Proto, RemoteAddr: r.RemoteAddr,
		At: time.Now(), end: &ending{done: make(chan struct{})},
	}
	req.readBody(r.Body, maxBody)
	if len(r.Trailer) > 0 {
		req.Trailer = r.Trailer.Clone()
	}
	return req
}

// Done is closed when the answer has been written or given up.
func (r *Request) Done() <-chan struct{} { return r.end.done }

// Err returns how the answer ended: nil while it is under way and when it was
// written in full, else an error that wraps [ErrAborted], [ErrClientGone] or
// [ErrServerClosed].
func (r *Request) Err() error {
	select {
	case <-r.end.done:
		return r.end.err
	default:
		return nil
	}
}

func (r *Request) finish(err error) {
	r.end.err = err
	close(r.end.done)
}

// withoutBody returns a copy that keeps only the body's length and digest.
func (r *Request) withoutBody() *Request {
	light := *r
	light.Body, light.Truncated = nil, r.BodyBytes > 0
	return &light
}

// DecodedBody returns the body without its content encodings (gzip, zstd). It
// fails for a truncated body, an unknown or damaged encoding and a result of
// more than 256 MiB.
func (r *Request) DecodedBody() ([]byte, error) {
	if r.Truncated {
		return nil, fmt.Errorf("decode body: only %d of %d bytes were kept", len(r.Body), r.BodyBytes)
	}
	return decode(r.Body, r.Header.Values("Content-Encoding"), maxDecoded)
}

// JSON returns the value at a gjson path of the decoded body, such as "model" or
// "input.#.type". It does not exist if the body is not JSON.
func (r *Request) JSON(path string) gjson.Result {
	body, err := r.DecodedBody()
	if err != nil || !gjson.ValidBytes(body) {
		return gjson.Result{}
	}
	return gjson.GetBytes(body, path)
}

// String describes the request in a line for a failure message, without
// anything secret: no query, no headers, no content.
func (r *Request) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s (%d bytes", r.Method, r.Path, r.BodyBytes)
	if model := r.JSON("model"); model.Exists() {
		fmt.Fprintf(&b, ", model %q", model.String())
	}
	if n := len(r.Input()); n > 0 {
		fmt.Fprintf(&b, ", %d input items", n)
	}
	b.WriteByte(')')
	if r.BodyErr != nil {
		fmt.Fprintf(&b, " broke off: %v", r.BodyErr)
	}
	return b.String()
}

// call reports whether the request is one that mounts answer.
func (r *Request) call() bool {
	return r.Method == http.MethodPost && r.responses()
}

// responses reports whether the request is for the endpoint of responses.
func (r *Request) responses() bool { return strings.HasSuffix(r.Path, "/responses") }

// upgrade reports whether the request asks for a WebSocket.
func (r *Request) upgrade() bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}
