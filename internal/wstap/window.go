package wstap

// window is the end of what was decompressed so far, to which later messages may refer (RFC 7692 §7.2.3.2). It knows
// the latest bytes without a gap, at most size of them.
type window struct {
	size int
	buf  []byte // up to half as much again, so that a byte is moved about twice
}

// write adds what was decompressed.
func (w *window) write(b []byte) {
	if len(b) > w.size {
		b = b[len(b)-w.size:]
	}
	room := w.size + w.size/2
	if len(w.buf)+len(b) > room {
		// What the new bytes push out of the window need not be moved.
		keep := min(len(w.buf), w.size-len(b))
		w.buf = w.buf[:copy(w.buf, w.buf[len(w.buf)-keep:])]
	}
	w.buf = append(grow(w.buf, len(b), room), b...)
}

// latest returns what a message may refer to.
func (w *window) latest() []byte {
	return w.buf[max(0, len(w.buf)-w.size):]
}

// forget makes the next message the first one.
func (w *window) forget() {
	w.buf = w.buf[:0]
}
