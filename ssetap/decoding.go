package ssetap

// Decoding turns the bytes of a body into those they stand for, say by undoing its Content-Encoding. Calls never overlap.
type Decoding interface {
	// Write takes the next bytes that were passed on, and calls yield with those they decode to, any number of times,
	// before it returns. Both are valid only during the call.
	Write(p []byte, yield func(decoded []byte))
	// Finish is called exactly once, from Close, after the last Write and before the End of the Sink, and also after a
	// Write that panicked. It may call yield with what is left.
	Finish(yield func(decoded []byte))
}

// decoder feeds a Decoding, so that one that panics never takes the wire with it. Like a Sink that panicked, it is told
// nothing more but the end.
type decoder struct {
	from   Decoding
	yield  func([]byte)
	guard  *guard
	broken bool
}

func (d *decoder) write(b []byte) {
	if d.broken {
		return
	}
	d.broken = true
	defer d.guard.contain()
	d.from.Write(b, d.yield)
	d.broken = false
}

func (d *decoder) finish() {
	defer d.guard.contain()
	d.from.Finish(d.yield)
}

// decodeWith puts a Decoding between the bytes passed on and the watcher.
func (w *wire) decodeWith(from Decoding, g *guard) {
	if from == nil {
		return
	}
	w.decoder = &decoder{from: from, guard: g, yield: func(b []byte) {
		if len(b) > 0 {
			w.watch.chunk(b, w.at)
		}
	}}
}
