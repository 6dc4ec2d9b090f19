package ssetap

import "strings"

// part is a line that did not lie within one chunk. The value of a data field is handed on piece by piece, as it may be
// of any size; other values are collected here. The zero value is no line.
type part struct {
	active    bool
	kind      field
	name      [maxNameBytes]byte
	named     int
	skipSpace bool   // the next byte is the first of the value
	value     []byte // of fields other than data; at most one byte over MaxFieldBytes
}

// take reads the next piece. It returns what of it belongs to the value, and whether this piece made the kind known.
func (p *part) take(text []byte) (value []byte, known bool) {
	p.active = true
	if p.kind == fieldUnknown {
		for len(text) > 0 && text[0] != ':' && p.named < maxNameBytes {
			p.name[p.named] = text[0]
			p.named++
			text = text[1:]
		}
		if len(text) == 0 {
			return nil, false
		}
		known = true
		p.kind = fieldIgnored
		if text[0] == ':' {
			text = text[1:]
			p.kind = fieldOf(p.name[:p.named])
			p.skipSpace = true
		}
	}
	if p.skipSpace && len(text) > 0 {
		p.skipSpace = false
		if text[0] == ' ' {
			text = text[1:]
		}
	}
	switch p.kind {
	case fieldEvent, fieldID, fieldRetry:
		// One byte over the bound is kept, which tells the Decoder that it was passed.
		p.value = append(p.value, text[:min(len(text), MaxFieldBytes+1-len(p.value))]...)
	default:
	}
	return text, known
}

// end completes the line. It reports whether only this made the kind known: without a colon all of the line is the name.
func (p *part) end() (known bool) {
	if p.kind != fieldUnknown {
		return false
	}
	p.kind = fieldOf(p.name[:p.named])
	return true
}

// mayMatter reports whether the line, as far as it goes, may still be a data or event field. Once the kind is known,
// the pending event knows as well.
func (p *part) mayMatter() bool {
	if !p.active || p.kind != fieldUnknown {
		return false
	}
	name := string(p.name[:p.named])
	for _, known := range []string{"data", "event"} {
		if strings.HasPrefix(known, name) {
			return true
		}
	}
	return false
}

func (p *part) reset() {
	*p = part{value: p.value[:0]}
}
