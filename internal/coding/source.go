package coding

import (
	"errors"
	"io"
)

// errStopped ends a reader that nobody wants to go on.
var errStopped = errors.New("stopped")

// source is the encoded body as the innermost reader sees it: a Read that finds nothing pauses the coroutine it runs in
// until there is more.
type source struct {
	in      []byte              // what the current Write was given, and nil between two
	eof     bool                // nothing will follow in
	hungry  bool                // paused for want of bytes
	ended   bool                // the end was told
	stopped bool                // told to give up
	pause   func(struct{}) bool // false if the reader is to give up
}

var _ io.Reader = (*source)(nil)

// Read implements io.Reader. It gives all there is and never waits for more of it.
func (s *source) Read(p []byte) (int, error) {
	for len(s.in) == 0 {
		switch {
		case s.stopped:
			return 0, errStopped
		case s.eof:
			s.ended = true
			return 0, io.EOF
		}
		s.hungry = true
		s.stopped = !s.pause(struct{}{})
		s.hungry = false
	}
	n := copy(p, s.in)
	s.in = s.in[n:]
	return n, nil
}
