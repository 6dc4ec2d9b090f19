package console

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"sync"
	"time"
)

// endTimeout is what is left for the last bytes of a feed that ends.
const endTimeout = time.Second

// keepBuffer is the largest buffer that a feed keeps between events.
const keepBuffer = 64 << 10

// feedWriter is the http.ResponseWriter that the SSE server writes one reader's
// feed to. It turns the server's many small writes into one write an event,
// each with a deadline. After the first failure it takes everything and writes
// nothing, so that the server can run dry and end.
type feedWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration

	opened  func() // the headers are out, the reader is subscribed
	written func() // an event is out, or never will be
	failed  func() // the first write failed

	buf     bytes.Buffer
	started bool
	broken  bool
	cause   error // of broken

	mu       sync.Mutex // guards the deadline
	hurried  bool
	finished bool
}

func newFeedWriter(w http.ResponseWriter, timeout time.Duration) *feedWriter {
	return &feedWriter{w: w, control: http.NewResponseController(w), timeout: timeout}
}

// Header implements http.ResponseWriter.
func (f *feedWriter) Header() http.Header { return f.w.Header() }

// WriteHeader implements http.ResponseWriter.
func (f *feedWriter) WriteHeader(status int) { f.w.WriteHeader(status) }

// Write implements http.ResponseWriter. It never fails.
func (f *feedWriter) Write(p []byte) (int, error) {
	if f.broken {
		return len(p), nil
	}
	return f.buf.Write(p)
}

// Flush implements http.Flusher: the server calls it once after the headers
// and once after each event.
func (f *feedWriter) Flush() {
	if !f.broken {
		if f.cause = f.send(); f.cause != nil {
			f.broken = true
			f.failed()
		}
	}
	if f.buf.Reset(); f.buf.Cap() > keepBuffer {
		f.buf = bytes.Buffer{}
	}
	if !f.started {
		f.started = true
		f.opened()
		return
	}
	f.written()
}

func (f *feedWriter) send() error {
	f.extend()
	if _, err := f.w.Write(f.buf.Bytes()); err != nil {
		return err
	}
	return f.control.Flush()
}

// extend allows the next write its time. A connection without deadlines can
// only be a test's.
func (f *feedWriter) extend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.hurried {
		_ = f.control.SetWriteDeadline(time.Now().Add(f.timeout))
	}
}

// hurry ends a write that is under way, and whatever comes after it, within
// endTimeout.
func (f *feedWriter) hurry() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.finished {
		f.hurried = true
		_ = f.control.SetWriteDeadline(time.Now().Add(endTimeout))
	}
}

// finish must be called before the handler returns: the connection is not this
// writer's any more. What the HTTP server itself has yet to write keeps a
// deadline; the server clears it before the next request.
func (f *feedWriter) finish() {
	f.hurry()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.finished = true
}

// stalled reports whether the reader was cut off because it did not read.
func (f *feedWriter) stalled() bool { return errors.Is(f.cause, os.ErrDeadlineExceeded) }
