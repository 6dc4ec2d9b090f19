package console

import (
	"context"
	"errors"
	"sync"
)

// The window bounds what a reader's stream in the SSE server holds: events
// handed over and not yet written.
const (
	windowEvents = 64
	windowBytes  = 1 << 20 // exceeded by one event at most
)

// reader is one subscriber of the feed.
type reader struct {
	stream string // its own stream in the SSE server
	filter filter
	end    context.CancelFunc
	window window

	// Guarded by Hub.mu.
	next     uint64 // the record to look at next
	missed   Missed // what to tell before that; no reason means nothing
	attached bool   // the SSE server has subscribed it: what is published arrives
	greeted  bool
}

// miss notes records that the reader will not get.
func (rd *reader) miss(n int64, reason string) {
	if rd.missed.Reason == "" {
		rd.missed = Missed{Reason: reason}
		rd.missed.N.Set = true
	}
	rd.missed.N.Value += n
}

var (
	errTooManyReaders = errors.New("too many readers of the live feed")
	errHubClosed      = errors.New("the live feed has ended")
)

// join adds a reader that continues after lastID, or begins with the next
// record when lastID is empty.
func (h *Hub) join(f filter, lastID string, end context.CancelFunc) (*reader, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		h.stats.Refused++
		return nil, errHubClosed
	case len(h.readers) >= h.cfg.MaxReaders:
		h.stats.Refused++
		return nil, errTooManyReaders
	}
	h.serial++
	h.stats.Joined++
	rd := &reader{stream: h.eventID(h.serial), filter: f, end: end, next: h.ring.next}
	if lastID != "" {
		h.resume(rd, lastID)
	}
	h.readers = append(h.readers, rd)
	return rd, nil
}

// resume places a reader after the last record it saw, or as near as the ring
// allows.
func (h *Hub) resume(rd *reader, lastID string) {
	last, ok := parseEventID(lastID, h.prefix)
	switch {
	case !ok || last >= h.ring.next:
		// Not an id of this process: everything it has told is new.
		rd.next = h.ring.first
		rd.missed = Missed{Reason: ReasonRestart}
		h.stats.Restarts++
	case last+1 < h.ring.first:
		gone := h.ring.first - last - 1
		rd.next = h.ring.first
		rd.miss(int64(min(gone, 1<<62)), ReasonExpired)
		h.stats.MissedExpired += gone
	default:
		rd.next = last + 1
	}
}

// attach lets records flow to a reader.
func (h *Hub) attach(rd *reader) {
	h.mu.Lock()
	rd.attached = true
	h.mu.Unlock()
	h.signal()
}

// leave removes a reader; cut says that it did not read and was cut off.
func (h *Hub) leave(rd *reader, cut bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	// Run may still be about to feed it, and the ring waits for it no longer.
	rd.attached = false
	for i, other := range h.readers {
		if other == rd {
			h.readers = append(h.readers[:i], h.readers[i+1:]...)
			break
		}
	}
	if cut {
		h.stats.Cut++
	}
}

// window accounts for the events on their way to one reader, in order.
type window struct {
	mu    sync.Mutex
	sizes [windowEvents]int
	head  int
	count int
	bytes int
}

// push adds an event. There must be room: the window is not full, and only one
// goroutine pushes.
func (w *window) push(size int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sizes[(w.head+w.count)%windowEvents] = size
	w.count++
	w.bytes += size
}

// pop takes off the oldest event, which was written. It reports whether to send
// more now: not for every event, or sender and writer would alternate.
func (w *window) pop() (refill bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.count == 0 {
		return false
	}
	above := w.high()
	w.bytes -= w.sizes[w.head]
	w.head = (w.head + 1) % windowEvents
	w.count--
	return w.count == 0 || above && !w.high()
}

func (w *window) high() bool { return w.count > windowEvents/2 || w.bytes > windowBytes/2 }

func (w *window) full() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count == windowEvents || w.bytes >= windowBytes
}

func (w *window) empty() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count == 0
}
