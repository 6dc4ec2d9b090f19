package wstap

import "errors"

// packing is what compressed messages of one direction need. A Reader without compression leaves it unused.
//
// A message is collected in compressed form and decompressed when it is complete: inflating cannot pause.
type packing struct {
	limit    int
	inflated int64
	takeover bool // messages refer to earlier ones
	pool     *Pool
	window   window

	packed   []byte // the payload of the message being read, up to limit
	cut      bool   // there was more of it
	inflater *inflater
}

// write adds to the payload of a compressed message.
func (p *packing) write(b []byte, key uint32) {
	if room := p.limit - len(p.packed); len(b) > room {
		b, p.cut = b[:room], true
	}
	p.packed = appendUnmasked(grow(p.packed, len(b), p.limit+len(deflateEnd)), b, key)
}

// unpack decompresses the payload and describes it as a message, which is valid until release.
//
// If that fails, later messages may refer to bytes that are unknown. The window is emptied then, so that a reference to
// them is noticed, and every message that has none is still read.
func (p *packing) unpack(m *Message) {
	if p.inflater == nil {
		p.inflater = p.pool.get()
	}
	f := p.inflater
	f.limit, f.room = p.limit, p.inflated
	var err error
	switch {
	case p.cut:
		err = f.inflate(p.packed, &p.window)
	case len(p.packed) > 0: // RFC 7692 §7.2.3.6 wants a byte for an empty message; none is no less clear
		p.packed = append(grow(p.packed, len(deflateEnd), p.limit+len(deflateEnd)), deflateEnd...)
		err = f.inflate(p.packed, &p.window)
	}
	f.out.fill(m)
	switch {
	case errors.Is(err, errRoom):
		m.Cut = CutInflated
	case p.cut:
		m.Cut = CutCompressed
	case err != nil:
		m.Cut = CutCorrupt
	}
	if m.Cut > CutLong {
		m.Tail = nil // not the end of the message
	}
	if m.Cut > CutLong || !p.takeover {
		p.window.forget()
	} else {
		f.save(&p.window)
	}
}

// release ends a message and lets go of memory above keepBytes.
func (p *packing) release() {
	if cap(p.packed) > keepBytes {
		p.packed = nil
	}
	p.packed, p.cut = p.packed[:0], false
	if p.inflater == nil {
		return
	}
	p.inflater.reset()
	if p.pool != nil {
		p.pool.put(p.inflater)
		p.inflater = nil
	}
}
