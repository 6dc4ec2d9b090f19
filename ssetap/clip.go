package ssetap

import "slices"

// keepBytes is the size up to which a buffer is kept for the next event. A bigger one is given back.
const keepBytes = 64 << 10

// minBytes is the size of a first buffer. Most events cut by the end of a chunk fit.
const minBytes = 1 << 10

// clip collects bytes within a bound: the first ones up to a limit and, when there are more, the last TailBytes.
// The zero value is empty.
type clip struct {
	head []byte
	tail []byte // the latest bytes, up to twice TailBytes; empty as long as head is everything
	size int64  // bytes written
	work int64  // bytes copied since the clip was made, moves included: what must stay linear in size
}

// write appends b, keeping at most limit bytes at the head. The limit is at least 1 and the same for a whole run.
func (c *clip) write(b []byte, limit int) {
	c.size += int64(len(b))
	if len(c.tail) == 0 {
		n := min(len(b), limit-len(c.head))
		c.appendHead(b[:n], limit)
		b = b[n:]
		if len(b) == 0 {
			return
		}
		c.tail = append(make([]byte, 0, 2*TailBytes), last(c.head)...)
		c.work += int64(len(c.tail))
	}
	b = last(b)
	if len(c.tail)+len(b) > cap(c.tail) {
		// A move makes room for TailBytes more, so a byte is moved about once and the whole stays linear.
		c.tail = c.tail[:copy(c.tail, last(c.tail))]
		c.work += int64(len(c.tail))
	}
	c.tail = append(c.tail, b...)
	c.work += int64(len(b))
}

// appendHead grows head by doubling. The runtime's growth of large slices, by a quarter, would copy a big event
// four times over.
func (c *clip) appendHead(b []byte, limit int) {
	if need := len(c.head) + len(b); need > cap(c.head) {
		grown := make([]byte, len(c.head), max(need, min(max(2*cap(c.head), minBytes), limit)))
		c.work += int64(copy(grown, c.head))
		c.head = grown
	}
	c.head = append(c.head, b...)
	c.work += int64(len(b))
}

// ends returns what is kept: everything and nil, or the beginning and the end.
func (c *clip) ends() (head, tail []byte) {
	head = slices.Clip(c.head)
	if len(c.tail) > 0 {
		tail = last(c.tail)
	}
	return head, tail
}

// reset empties the clip and lets go of memory above keepBytes. What ends returned stays as it was until the next write.
func (c *clip) reset() {
	if cap(c.head) > keepBytes {
		c.head = nil
	}
	c.head, c.tail, c.size = c.head[:0], nil, 0
}

// last returns the last TailBytes of b, or b if it is shorter.
func last(b []byte) []byte {
	return b[max(0, len(b)-TailBytes):len(b):len(b)]
}
