package ssetap

import "slices"

// pending is the event being read. The zero value is one of which nothing came yet.
type pending struct {
	lone    []byte // its only data field so far, borrowed from the chunk in hand
	data    clip   // its data otherwise
	name    []byte
	hasData bool // a data field came, even an empty one: the data buffer of the standard is not empty
	hasName bool // an event field came, even an empty one
	cut     bool // a field was ignored for its length
}

// addData adds a data field whose value lies within the chunk in hand.
func (p *pending) addData(value []byte, limit int) {
	if !p.hasData {
		p.hasData, p.lone = true, value
		return
	}
	p.startData(limit)
	p.data.write(value, limit)
}

// startData starts a data field whose value is then written to data.
func (p *pending) startData(limit int) {
	if p.hasData {
		p.own(limit)
		p.data.write(lineFeed, limit)
	}
	p.hasData = true
}

// setName applies an event field.
func (p *pending) setName(value []byte) {
	p.hasName = true
	if len(value) > MaxFieldBytes {
		p.cut = true
		return
	}
	p.name = append(p.name[:0], value...)
}

// own copies data borrowed from the chunk in hand, before the chunk goes away or more data comes.
func (p *pending) own(limit int) {
	if p.lone != nil {
		p.data.write(p.lone, limit)
		p.lone = nil
	}
}

// fill describes the complete event in e, by slices of what is kept here.
func (p *pending) fill(e *Event, limit int) {
	e.Name = slices.Clip(p.name)
	if p.lone != nil {
		n := min(len(p.lone), limit)
		e.Data, e.Size = p.lone[:n:n], int64(len(p.lone))
		if n < len(p.lone) {
			e.Tail = last(p.lone)
		}
	} else {
		e.Data, e.Tail = p.data.ends()
		e.Size = p.data.size
	}
	e.Truncated = p.cut || e.Tail != nil
	if e.Truncated && e.Tail == nil {
		e.Tail = last(e.Data)
	}
}

// reset starts another event. The slices that fill gave away stay as they are until something is written.
func (p *pending) reset() {
	p.lone = nil
	p.data.reset()
	p.name = p.name[:0]
	p.hasData, p.hasName, p.cut = false, false, false
}
