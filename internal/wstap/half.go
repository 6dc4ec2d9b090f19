package wstap

import (
	"sync"
	"time"
)

// chunk is bytes on their way, with their place among those of both directions.
type chunk struct {
	b   []byte
	at  time.Time
	seq int64
}

// half is one direction of a tunnel.
type half struct {
	mu     sync.Mutex // held while the Reader is at work, never while the connection is
	reader *Reader
	guard  guard
	lent   chunk // passed on, in the caller's buffer, not seen by the Reader yet
	closed int64 // seq of the chunk with the close frame, 0 if none came
}

func (h *half) init(from Direction, sink Sink, opts Options) {
	if sink == nil {
		sink = ignore{}
	}
	h.guard = guard{sink: sink, onPanic: opts.OnPanic}
	h.reader = NewReader(from, &h.guard, opts)
}

// take shows c to the Reader.
func (h *half) take(c chunk) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.show(c)
}

// lend keeps c to be shown later.
func (h *half) lend(c chunk) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lent = c
}

// settle shows the Reader what was lent. When it returns, the buffer belongs to its owner again.
func (h *half) settle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.showLent()
}

// trySettle is settle for somebody who must not wait. When the Reader is at work, nothing is lent.
func (h *half) trySettle() {
	if h.mu.TryLock() {
		defer h.mu.Unlock()
		h.showLent()
	}
}

func (h *half) showLent() {
	if h.lent.b != nil {
		c := h.lent
		h.lent = chunk{}
		h.show(c)
	}
}

func (h *half) show(c chunk) {
	defer h.contain()
	h.reader.at = c.at
	h.reader.Write(c.b)
	if h.closed == 0 && h.reader.stats.Close.Code != 0 {
		h.closed = c.seq
	}
}

// contain is deferred around the Reader. The Sink has a guard of its own, so this is a mistake of the Reader or of what
// decompresses; what it would make of the rest cannot be trusted.
func (h *half) contain() {
	if v := recover(); v != nil {
		h.reader.lose(LostPanic)
		h.guard.report(v)
	}
}

// sum returns what came, and the seq of the close frame.
func (h *half) sum() (s Stats, closed, panics int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reader.Stats(), h.closed, h.guard.panics
}
