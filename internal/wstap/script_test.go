package wstap

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// step is what one Read of a script returns.
type step struct {
	data string
	err  error
}

var start = time.Unix(1_700_000_000, 0)

// script is a connection that answers as told, then io.EOF. It takes at most most bytes a Write if that is set, and fails
// with writeErr. Its clock goes on by a second at every reading.
type script struct {
	steps    []step
	most     int
	writeErr error
	closeErr error

	written bytes.Buffer
	closes  int
	mu      sync.Mutex
	clock   time.Time
}

func newScript(steps ...step) *script {
	return &script{steps: steps, clock: start}
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.steps) == 0 {
		return 0, io.EOF
	}
	next := s.steps[0]
	s.steps = s.steps[1:]
	return copy(p, next.data), next.err
}

func (s *script) Write(p []byte) (int, error) {
	n, err := len(p), s.writeErr
	if s.most > 0 && n > s.most {
		n = s.most
		if err == nil {
			err = io.ErrShortWrite
		}
	}
	s.written.Write(p[:n])
	return n, err
}

func (s *script) Close() error {
	s.closes++
	return s.closeErr
}

func (s *script) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(time.Second)
	return s.clock
}

// halfCloser is a script that knows CloseWrite.
type halfCloser struct {
	*script
	closed int
}

func (h *halfCloser) CloseWrite() error {
	h.closed++
	return h.closeErr
}

// audience is the Sinks of a tunnel that remember.
type audience struct {
	client, server recorder
	ends           []End
	panicOnEnd     bool
}

func (a *audience) sinks() Sinks {
	return Sinks{Client: &a.client, Server: &a.server, End: func(end End) {
		a.ends = append(a.ends, end)
		if a.panicOnEnd {
			panic("sink broke at the end")
		}
	}}
}

// same reports whether two errors are one and the same. Copy loops compare io.EOF like that: a tap must not wrap it.
func same(a, b error) bool { return any(a) == any(b) }

// readAll reads to the first error with one buffer used over and over, as a copy loop does.
func readAll(r io.Reader) ([]byte, error) {
	var got bytes.Buffer
	buf := make([]byte, 256)
	for {
		n, err := r.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			return got.Bytes(), err
		}
	}
}
