package ssetap

import (
	"io"
	"strings"
	"time"
)

// step is what one Read of a script returns.
type step struct {
	data string
	err  error
}

// script is a body that answers as told, then io.EOF. Each answer comes a second after the one before.
type script struct {
	steps    []step
	clock    time.Time
	closes   int
	closeErr error
}

var start = time.Unix(1_700_000_000, 0)

func newScript(steps ...step) *script {
	return &script{steps: steps, clock: start}
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.steps) == 0 {
		return 0, io.EOF
	}
	s.clock = s.clock.Add(time.Second)
	next := s.steps[0]
	s.steps = s.steps[1:]
	return copy(p, next.data), next.err
}

func (s *script) Close() error {
	s.closes++
	return s.closeErr
}

func (s *script) now() time.Time { return s.clock }

// recorder is a Sink that remembers. The event "done" is the last one; on panicOn it panics.
type recorder struct {
	log     []string // events as "name:data"
	at      []time.Time
	ends    []End
	panicOn string
}

func (r *recorder) Event(e *Event) bool {
	r.log = append(r.log, string(e.Name)+":"+string(e.Data))
	r.at = append(r.at, e.At)
	if r.panicOn != "" && string(e.Data) == r.panicOn {
		panic("sink broke on " + r.panicOn)
	}
	return string(e.Data) == "done"
}

func (r *recorder) End(end End) {
	r.ends = append(r.ends, end)
	if r.panicOn == "end" {
		panic("sink broke at the end")
	}
}

// same reports whether two errors are one and the same. Copy loops compare io.EOF like that: a tap must not wrap it.
func same(a, b error) bool { return any(a) == any(b) }

// readAll reads to the first error with one buffer used over and over, as a copy loop does.
func readAll(r io.Reader) (string, error) {
	var got strings.Builder
	buf := make([]byte, 256)
	for {
		n, err := r.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			return got.String(), err
		}
	}
}
