// Package ssetap reads Server-Sent Events from bytes that belong to somebody else.
//
// A [Decoder] is pushed chunks as they come and calls back with each event; it never blocks, fails or asks for more.
// A [Tap] wraps the body of a response and shows it to a [Sink], each chunk only after the reader has passed it on.
// A [BodyTap] does the same for a body that is not a stream of events. All of them leave the bytes as they are.
package ssetap

import (
	"bytes"
	"slices"
)

var (
	byteOrderMark = []byte("\xEF\xBB\xBF")
	lineFeed      = []byte("\n")
)

// Decoder interprets an event stream as WHATWG HTML §9.2.6 says, in chunks cut anywhere. The zero value is ready to use.
// It must not be copied after first use, nor be used by two goroutines at once.
//
// Bytes are not decoded: where the standard replaces invalid UTF-8, the Decoder hands on what it got. It deviates from
// the standard only at its bounds, see [Event.Truncated].
//
// An event that lies within one chunk is delivered without being copied, and with one data field without any
// allocation. Otherwise it is collected in a buffer, which is reused unless an event made it large. The work is linear in
// the bytes written, however they are cut.
type Decoder struct {
	// MaxEventBytes is how much data of one event is kept, 0 for DefaultMaxEventBytes. An event with more is still
	// delimited and delivered, with its beginning in Data and its end in Tail. Set it before the first Write.
	MaxEventBytes int

	pending pending // the event being read
	part    part    // the line being read, if a chunk ended within it

	// The stream.
	mark    int  // bytes of a byte order mark matched; all of them once that is settled
	afterCR bool // a chunk ended with CR, an LF at the start of the next one belongs to it
	id      []byte
	retry   int64
	retried bool

	event   Event // what yield gets, kept here so that it is allocated once
	scanned int64 // bytes searched for line ends: what must stay linear
}

// Write reads the next chunk and calls yield for every event that is complete with it, before it returns. A blank line
// dispatches as soon as its first byte is there, so a CR is not held back until it is known whether LF follows.
//
// The event and its slices are valid only during the call, and the chunk must not change during Write. If yield panics,
// the rest of the chunk is lost.
func (d *Decoder) Write(chunk []byte, yield func(*Event)) {
	if d.mark < len(byteOrderMark) {
		chunk = d.skipMark(chunk)
	}
	if len(chunk) == 0 {
		return
	}
	pos := 0
	if d.afterCR {
		d.afterCR = false
		if chunk[0] == '\n' {
			pos = 1
		}
	}
	// Each kind of line end is searched once and remembered: a stream without CR is not searched for CR at every line.
	lf, cr := -1, -1
	for pos < len(chunk) {
		if lf < pos {
			lf = d.index(chunk, pos, '\n')
		}
		if cr < pos {
			cr = d.index(chunk, pos, '\r')
		}
		end := min(lf, cr)
		text := chunk[pos:end]
		if end == len(chunk) {
			d.takePart(text)
			break
		}
		switch {
		case d.part.active:
			d.takePart(text)
			d.endPart()
		case len(text) == 0:
			d.dispatch(yield)
		default:
			d.takeLine(text)
		}
		pos = end + 1
		if end == cr {
			if pos == len(chunk) {
				d.afterCR = true
			} else if chunk[pos] == '\n' {
				pos++
			}
		}
	}
	d.pending.own(d.limit())
}

// Finish ends the stream. An event without its blank line is discarded, as the standard says; unfinished tells whether
// there was one, that is, whether bytes of an event or data field came after the last blank line. The Decoder is then
// ready for another stream. Like an EventSource that reconnects, it keeps the last event ID and the retry time.
func (d *Decoder) Finish() (unfinished bool) {
	unfinished = d.pending.hasData || d.pending.hasName || d.part.mayMatter()
	d.pending.reset()
	d.part.reset()
	d.mark, d.afterCR = 0, false
	return unfinished
}

// Retry returns the value of the last valid retry field in milliseconds, and whether there was one.
func (d *Decoder) Retry() (ms int64, ok bool) {
	return d.retry, d.retried
}

// skipMark drops the byte order mark at the start of the stream, however it is cut.
func (d *Decoder) skipMark(chunk []byte) []byte {
	for len(chunk) > 0 && d.mark < len(byteOrderMark) {
		if chunk[0] != byteOrderMark[d.mark] {
			// Not a mark after all: what looked like one is the start of the first line.
			n := d.mark
			d.mark = len(byteOrderMark)
			d.takePart(byteOrderMark[:n])
			break
		}
		d.mark++
		chunk = chunk[1:]
	}
	return chunk
}

// index returns the position of the next c at or after pos, or the length of the chunk.
func (d *Decoder) index(chunk []byte, pos int, c byte) int {
	n := bytes.IndexByte(chunk[pos:], c)
	if n < 0 {
		n = len(chunk) - pos
	}
	d.scanned += int64(n)
	return pos + n
}

// takeLine reads a complete line that lies within the chunk.
func (d *Decoder) takeLine(text []byte) {
	kind, value := splitLine(text)
	if kind == fieldData {
		d.pending.addData(value, d.limit())
		return
	}
	d.setField(kind, value)
}

// takePart reads a piece of a line that another chunk began or will end.
func (d *Decoder) takePart(text []byte) {
	if len(text) == 0 {
		return
	}
	value, named := d.part.take(text)
	if named {
		d.startPart()
	}
	if d.part.kind == fieldData {
		d.pending.data.write(value, d.limit())
	}
}

// startPart notes the kind of a line read in pieces, once it is known.
func (d *Decoder) startPart() {
	switch d.part.kind {
	case fieldData:
		d.pending.startData(d.limit())
	case fieldEvent:
		d.pending.hasName = true
	default:
	}
}

// endPart completes a line that was read in pieces.
func (d *Decoder) endPart() {
	if d.part.end() {
		d.startPart()
	}
	if d.part.kind != fieldData {
		d.setField(d.part.kind, d.part.value)
	}
	d.part.reset()
}

// setField applies a field other than data.
func (d *Decoder) setField(kind field, value []byte) {
	tooLong := len(value) > MaxFieldBytes
	switch kind {
	case fieldEvent:
		d.pending.setName(value)
	case fieldID:
		if tooLong {
			d.pending.cut = true
		} else if bytes.IndexByte(value, 0) < 0 {
			d.id = append(d.id[:0], value...)
		}
	case fieldRetry:
		if ms, ok := parseRetry(value); ok && !tooLong {
			d.retry, d.retried = ms, true
		}
	default:
	}
}

// dispatch delivers the event at a blank line, if it has data, and starts the next one.
func (d *Decoder) dispatch(yield func(*Event)) {
	if !d.pending.hasData {
		d.pending.reset()
		return
	}
	d.event = Event{ID: slices.Clip(d.id)}
	d.pending.fill(&d.event, d.limit())
	// The next event starts before this one is delivered, so that a panic in yield leaves nothing half done.
	d.pending.reset()
	defer d.release()
	yield(&d.event)
}

// release lets go of the data delivered, which may be large or the caller's.
func (d *Decoder) release() {
	d.event.Data, d.event.Tail = nil, nil
}

func (d *Decoder) limit() int {
	if d.MaxEventBytes <= 0 {
		return DefaultMaxEventBytes
	}
	return d.MaxEventBytes
}
