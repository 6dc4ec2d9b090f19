package console

import "github.com/r3labs/sse/v2"

// turnEvents and turnRecords bound one reader's turn, so that no reader keeps
// Run, or the lock, to itself.
const (
	turnEvents  = windowEvents
	turnRecords = 256
)

// pump gives every reader a turn. Only Run calls it.
func (h *Hub) pump() {
	more := false
	for _, rd := range h.snapshot() {
		more = h.feed(rd) || more
	}
	if more {
		h.signal()
	}
}

// feed sends a reader what it is to get next, as far as its window allows. It
// reports whether there is more to send now. A reader with a full window is
// looked at again when it has read.
func (h *Hub) feed(rd *reader) (more bool) {
	for range turnEvents {
		if rd.window.full() {
			return false
		}
		next, found, rest := h.take(rd)
		if !found {
			return rest
		}
		h.publish(rd, h.encoded(next))
	}
	return true
}

// take moves a reader past its next record and returns it; found is false when
// there is none, or none within this turn. What a reader missed, and the
// greeting that tells it its position, come before any record.
func (h *Hub) take(rd *reader) (next slot, found, rest bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case !rd.attached:
		return slot{}, false, false
	case rd.missed.Reason != "":
		next.event = missedEvent(rd.missed, h.eventID(rd.next-1))
		rd.missed = Missed{}
		rd.greeted = true
		return next, true, true
	case !rd.greeted:
		rd.greeted = true
		return slot{event: h.comment("connected", rd)}, true, true
	}
	for scanned := 0; rd.next < h.ring.next; scanned++ {
		if scanned == turnRecords {
			return slot{}, false, true
		}
		next = h.ring.at(rd.next)
		rd.next++
		if rd.filter.matches(next.record) {
			h.stats.Sent++
			return next, true, true
		}
	}
	return slot{}, false, false
}

// encoded returns a record as it is sent. The first reader's turn makes it, for
// all of them.
func (h *Hub) encoded(s slot) *sse.Event {
	if s.event != nil {
		return s.event
	}
	event := &sse.Event{
		ID:    []byte(h.eventID(s.seq)),
		Event: []byte(s.record.Event.EventName()),
		Data:  AppendJSON(nil, &h.encoder, s.record),
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ring.keep(s.seq, event)
	h.fit()
	return event
}

// publish hands an event to the reader's stream. The stream has room for a
// window, so a refusal means that the reader has left; one that has not is
// ended, and resumes where it was.
func (h *Hub) publish(rd *reader, event *sse.Event) {
	rd.window.push(len(event.Data))
	if !h.server.TryPublish(rd.stream, event) {
		rd.end()
	}
}

// beat sends a comment to every reader that waits for nothing, so that a dead
// connection is noticed at both ends.
func (h *Hub) beat() {
	for _, rd := range h.snapshot() {
		if event := h.heartbeat(rd); event != nil {
			h.publish(rd, event)
		}
	}
}

func (h *Hub) heartbeat(rd *reader) *sse.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !rd.greeted || rd.missed.Reason != "" || !rd.window.empty() {
		return nil
	}
	h.stats.Heartbeats++
	return h.comment("heartbeat", rd)
}

// comment returns a comment that carries the reader's position. The server
// writes comments as they are, which makes room for the id on a line of its
// own: an id without data moves a reader's Last-Event-ID and is no event.
func (h *Hub) comment(text string, rd *reader) *sse.Event {
	return &sse.Event{Comment: []byte(text + "\nid: " + h.eventID(rd.next-1))}
}

// missedEvent returns what tells a reader of records that it will not get. Its
// id is that of the last of them.
func missedEvent(m Missed, id string) *sse.Event {
	return &sse.Event{ID: []byte(id), Event: []byte(NameMissed), Data: m.appendJSON(nil)}
}
