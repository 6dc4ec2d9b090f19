package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// maxUnwritten bounds the log that waits for whoever reads it.
	maxUnwritten = 1 << 20
	// logPatience is how long the end of the process waits for that.
	logPatience = time.Second
)

// logWriter writes the log on a goroutine of its own, which lives as long as there is something to write: a pipe that nobody
// reads, or a terminal that was stopped, must not hold up the requests that something is logged about. Lines that find no room
// are left out, and a line says how many.
type logWriter struct {
	next io.Writer

	mu      sync.Mutex
	waiting []byte
	missing int
	done    chan struct{} // closed when the goroutine ends; nil while there is none
}

// Write takes one line. It never fails and waits for a short lock alone.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting)+len(line) > maxUnwritten {
		w.missing++
		return len(line), nil
	}
	w.waiting = append(w.waiting, line...)
	if w.done == nil {
		w.done = make(chan struct{})
		go w.run(w.done)
	}
	return len(line), nil
}

// run writes what waits until nothing does.
func (w *logWriter) run(done chan struct{}) {
	defer close(done)
	for lines := w.take(); lines != nil; lines = w.take() {
		_, _ = w.next.Write(lines) // There is nowhere to say that the log cannot be written.
	}
}

// take returns what waits. With nothing to return the goroutine has ended.
func (w *logWriter) take() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := w.waiting
	w.waiting = nil
	if w.missing > 0 {
		lines = fmt.Appendf(lines, "codex-proxy: %d lines of the log are left out here, since nobody read it\n", w.missing)
		w.missing = 0
	}
	if len(lines) == 0 {
		w.done = nil
		return nil
	}
	return lines
}

// flush waits until everything is written, but not for long.
func (w *logWriter) flush() {
	patience := time.NewTimer(logPatience)
	defer patience.Stop()
	for {
		w.mu.Lock()
		done := w.done
		w.mu.Unlock()
		if done == nil {
			return
		}
		select {
		case <-done:
		case <-patience.C:
			return
		}
	}
}
