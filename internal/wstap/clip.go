package wstap

import "slices"

const (
	// keepBytes is the size up to which a buffer is kept for the next message. A bigger one is given back.
	keepBytes = 64 << 10
	// minBytes is the size of a first buffer. Most messages fit.
	minBytes = 1 << 10
)

// clip collects bytes within a bound: the first ones up to a limit and, when there are more, the last TailBytes.
// The zero value is empty.
type clip struct {
	head []byte
	tail []byte // the latest bytes, up to twice TailBytes; empty as long as head is everything
	size int64  // bytes written
}

// write appends b without its mask, keeping at most limit bytes at the head. The limit is at least 1 and the same for a
// whole run.
func (c *clip) write(b []byte, key uint32, limit int) {
	c.size += int64(len(b))
	if len(c.tail) == 0 {
		n := min(len(b), limit-len(c.head))
		c.head = appendUnmasked(grow(c.head, n, limit), b[:n], key)
		b, key = b[n:], turn(key, n)
		if len(b) == 0 {
			return
		}
		c.tail = append(make([]byte, 0, 2*TailBytes), last(c.head)...)
	}
	if skip := len(b) - TailBytes; skip > 0 {
		b, key = b[skip:], turn(key, skip)
	}
	if len(c.tail)+len(b) > cap(c.tail) {
		// A move makes room for TailBytes more, so a byte is moved about once and the whole stays linear.
		c.tail = c.tail[:copy(c.tail, last(c.tail))]
	}
	c.tail = appendUnmasked(c.tail, b, key)
}

// fill describes what was collected as a message.
func (c *clip) fill(m *Message) {
	m.Data, m.Size = slices.Clip(c.head), c.size
	if len(c.tail) > 0 {
		m.Tail, m.Cut = last(c.tail), CutLong
	}
}

// latest returns the last bytes that are kept in one piece: everything, or at least TailBytes.
func (c *clip) latest() []byte {
	if len(c.tail) > 0 {
		return c.tail
	}
	return c.head
}

// reset empties the clip and lets go of memory above keepBytes. What fill gave away stays as it was until the next write.
func (c *clip) reset() {
	if cap(c.head) > keepBytes {
		c.head = nil
	}
	c.head, c.tail, c.size = c.head[:0], nil, 0
}

// grow makes room for n more bytes by doubling, but not beyond limit. The runtime's growth of large slices, by a
// quarter, would copy a big message four times over.
func grow(b []byte, n, limit int) []byte {
	need := len(b) + n
	if need <= cap(b) {
		return b
	}
	grown := make([]byte, len(b), max(need, min(max(2*cap(b), minBytes), limit)))
	copy(grown, b)
	return grown
}

// last returns the last TailBytes of b, or b if it is shorter.
func last(b []byte) []byte {
	return b[max(0, len(b)-TailBytes):len(b):len(b)]
}
