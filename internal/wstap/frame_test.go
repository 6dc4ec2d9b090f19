package wstap

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// fr is a frame to be written. The zero value is an empty, unmasked, last continuation.
type fr struct {
	op      opcode
	more    bool // not the last of its message
	rsv     byte
	key     string // four bytes; masked if set
	payload string
	long    int // write the length in this many bytes, 0 for the shortest form
}

func (f fr) appendTo(b []byte) []byte {
	first := byte(f.op) | f.rsv
	if !f.more {
		first |= 0x80
	}
	var masked byte
	if f.key != "" {
		masked = 0x80
	}
	n := len(f.payload)
	switch {
	case f.long == 8 || n > 0xFFFF:
		b = binary.BigEndian.AppendUint64(append(b, first, masked|127), uint64(n))
	case f.long == 2 || n > 125:
		b = binary.BigEndian.AppendUint16(append(b, first, masked|126), uint16(n))
	default:
		b = append(b, first, masked|byte(n))
	}
	b = append(b, f.key...)
	for i := range n {
		c := f.payload[i]
		if f.key != "" {
			c ^= f.key[i%4]
		}
		b = append(b, c)
	}
	return b
}

func frames(all ...fr) []byte {
	var b []byte
	for _, f := range all {
		b = f.appendTo(b)
	}
	return b
}

// str is frames for a script.
func str(all ...fr) string { return string(frames(all...)) }

// text, packed and the like are unmasked frames that come often.
func text(s string) fr   { return fr{op: opText, payload: s} }
func packed(s string) fr { return fr{op: opText, rsv: rsvCompressed, payload: s} }
func masked(f fr) fr     { f.key = "\x37\xfa\x21\x3d"; return f }

func closing(code int, reason string) fr {
	return fr{op: opClose, payload: string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason}
}

// deflater compresses messages as a peer does, with the standard library.
type deflater struct {
	w        *flate.Writer
	b        bytes.Buffer
	takeover bool
}

func newDeflater(tb testing.TB, level int, takeover bool) *deflater {
	tb.Helper()
	d := &deflater{takeover: takeover}
	w, err := flate.NewWriter(&d.b, level)
	if err != nil {
		tb.Fatal(err)
	}
	d.w = w
	return d
}

// message returns the payload of a compressed message.
func (d *deflater) message(s string) string {
	d.b.Reset()
	if !d.takeover {
		d.w.Reset(&d.b)
	}
	d.w.Write([]byte(s))
	d.w.Flush()
	return strings.TrimSuffix(d.b.String(), "\x00\x00\xff\xff")
}

// seen is one call of a Sink, with everything copied.
type seen struct {
	Kind           string // "text", "binary", "close" or "lost"
	Data, Tail     string // Data is the reason of "close" and "lost", too
	Size, WireSize int64
	Compressed     bool
	Cut            Cut
	Code           int
}

// whole is a message of which nothing is missing.
func whole(s string) seen {
	return seen{Kind: "text", Data: s, Size: int64(len(s)), WireSize: int64(len(s))}
}

func unpacked(s string, wire int) seen {
	return seen{Kind: "text", Data: s, Size: int64(len(s)), WireSize: int64(wire), Compressed: true}
}

func closed(code int, reason string) seen { return seen{Kind: "close", Data: reason, Code: code} }
func lost(l Lost) seen                    { return seen{Kind: "lost", Data: l.String()} }

// recorder is a Sink that remembers, and panics on the message panicOn.
type recorder struct {
	log     []seen
	times   []Message // only times are set
	panicOn string
}

func (r *recorder) Message(m *Message) {
	s := seen{
		Kind: "text", Data: string(m.Data), Tail: string(m.Tail), Size: m.Size, WireSize: m.WireSize,
		Compressed: m.Compressed, Cut: m.Cut,
	}
	if m.Binary {
		s.Kind = "binary"
	}
	r.log = append(r.log, s)
	r.times = append(r.times, Message{Start: m.Start, At: m.At})
	if r.panicOn != "" && s.Data == r.panicOn {
		panic("sink broke on " + r.panicOn)
	}
}

func (r *recorder) CloseFrame(c CloseFrame) {
	r.log = append(r.log, closed(c.Code, c.Reason))
	if r.panicOn == "close" {
		panic("sink broke on close")
	}
}

func (r *recorder) Lost(reason Lost) {
	r.log = append(r.log, lost(reason))
	if r.panicOn == "lost" {
		panic("sink broke on lost")
	}
}

// read feeds a Reader and returns what its Sink saw.
func read(from Direction, opts Options, chunks ...[]byte) ([]seen, Stats) {
	sink := &recorder{}
	r := NewReader(from, sink, opts)
	for _, chunk := range chunks {
		r.Write(chunk)
	}
	return sink.log, r.Stats()
}

// cut returns stream in chunks of the size given.
func cut(stream []byte, size int) [][]byte {
	return slices.Collect(slices.Chunk(stream, size))
}
