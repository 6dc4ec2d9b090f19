package responsestest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Response is one prepared answer. The zero value is an empty event stream with
// status 200.
type Response struct {
	// Status is the HTTP status; zero stands for 200.
	Status int
	// Header is set over the default headers: content-type (text/event-stream),
	// cf-ray, x-request-id and openai-processing-ms. A name without values takes
	// a default away.
	Header http.Header
	// Events are written and flushed one by one.
	Events []Event
	// Body is written when there are no Events.
	Body []byte
	// ChunkBytes, when positive, cuts Body into writes of at most so many bytes,
	// each flushed, so that events are split anywhere.
	ChunkBytes int
	// Encoding compresses the body and says so in content-encoding: "gzip" or
	// "zstd".
	Encoding string
	// Trailer is announced, and sent after a complete body.
	Trailer http.Header

	// Delay is waited before the headers are sent.
	Delay time.Duration
	// Hold, when not nil, is received from before the headers are sent.
	Hold <-chan struct{}
	// EventDelay is waited between two events, on top of their own delays.
	EventDelay time.Duration
	// Abort says how the answer breaks off, if it does.
	Abort Abort

	err error // why the answer could not be prepared; fails the test when mounted
}

// Abort is a way for an answer to break off.
type Abort int

const (
	// AbortNone lets the answer end properly.
	AbortNone Abort = iota
	// AbortStream closes the connection after the given events or body and
	// leaves the body unterminated: an HTTP/1.1 client sees an unexpected EOF,
	// an HTTP/2 client a stream reset.
	AbortStream
	// AbortReset is AbortStream with a TCP reset on HTTP/1.1, as a crashed or
	// overloaded peer causes.
	AbortReset
	// AbortBeforeHeaders closes the connection without any answer, after Delay
	// and Hold.
	AbortBeforeHeaders
)

func (r *Response) status() int { return cmp.Or(r.Status, http.StatusOK) }

// bodyAllowed reports whether the status may have a body.
func (r *Response) bodyAllowed() bool {
	status := r.status()
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// check returns why the answer cannot be played, nil if it can.
func (r *Response) check() error {
	switch {
	case r.err != nil:
		return r.err
	case r.status() < http.StatusOK || r.status() > 999:
		return fmt.Errorf("status %d is not that of a final response", r.Status)
	case r.Encoding != "" && r.Encoding != "gzip" && r.Encoding != "zstd":
		return fmt.Errorf("unknown encoding %q", r.Encoding)
	}
	return nil
}

// Stream returns an event stream.
func Stream(events ...Event) Response { return Response{Events: events} }

// JSON returns an answer with v as its JSON body. A v that cannot be encoded
// fails the test when the answer is mounted.
func JSON(status int, v any) Response {
	body, err := json.Marshal(v)
	if err != nil {
		err = fmt.Errorf("encode JSON response: %w", err)
	}
	return jsonBody(status, body, err)
}

// CompletedJSON returns the answer to a request with "stream": false: the
// completed response with its output.
func CompletedJSON(id string, usage Usage, output ...Item) Response {
	return jsonBody(http.StatusOK, []byte(completedObject(id, usage, output)), nil)
}

// Error returns an error answer in the shape of the API's. An empty code is
// written as null.
func Error(status int, typ, code, message string) Response {
	type cause struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	c := cause{Message: message, Type: typ}
	if code != "" {
		c.Code = &code
	}
	body := encode(struct {
		Error cause `json:"error"`
	}{c})
	return jsonBody(status, []byte(body), nil)
}

func jsonBody(status int, body []byte, err error) Response {
	return Response{
		Status: status,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   body,
		err:    err,
	}
}
