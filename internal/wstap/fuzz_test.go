package wstap

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cutBy returns stream in chunks of the sizes given, over and over. A size of 0 is a chunk of nothing.
func cutBy(stream, sizes []byte) [][]byte {
	if len(bytes.Trim(sizes, "\x00")) == 0 {
		return [][]byte{stream}
	}
	var chunks [][]byte
	for i := 0; len(stream) > 0; i++ {
		n := min(int(sizes[i%len(sizes)]), len(stream))
		chunks = append(chunks, stream[:n])
		stream = stream[n:]
	}
	return chunks
}

// fuzzOptions makes options of two bytes.
func fuzzOptions(mode, limit byte) (Direction, Options) {
	return Direction(mode & 1), Options{
		Deflate: Deflate{
			Enabled:                 mode&2 != 0,
			ClientNoContextTakeover: mode&4 != 0,
			ServerNoContextTakeover: mode&8 != 0,
			ServerMaxWindowBits:     int(mode>>4) & 15,
			ClientMaxWindowBits:     int(mode>>5) & 15,
		},
		MaxMessageBytes:  int(limit) * int(limit), // 0 is the default
		MaxInflatedBytes: 1 << 18,
	}
}

// held is the memory that a Reader holds.
func held(r *Reader) int {
	n := cap(r.text.head) + cap(r.text.tail) + cap(r.packing.packed) + cap(r.packing.window.buf)
	if f := r.packing.inflater; f != nil {
		n += cap(f.out.head) + cap(f.out.tail)
	}
	return n
}

// heldAtMost bounds that: two buffers of a message, perhaps doubled beyond a small limit, two tails and a window.
func heldAtMost(limit int) int {
	return 2*max(limit+len(deflateEnd), 2*minBytes) + 2*2*TailBytes + 48<<10
}

func addStreams(f *testing.F) {
	f.Helper()
	for _, c := range streamCases() {
		if len(c.stream) > 4<<10 {
			continue // large seeds only slow the fuzzer down
		}
		mode := byte(c.from)
		if c.deflate {
			mode |= 2
		}
		f.Add(c.stream, []byte{1}, mode, byte(0))
		f.Add(c.stream, []byte{2, 0, 7}, mode, byte(2))
	}
	for _, takeover := range []bool{true, false} {
		d := newDeflater(f, 9, takeover)
		var stream []byte
		for _, s := range []string{"some text", "some more text", "", "some text and more of it, and more, and more, and more"} {
			p := d.message(s)
			stream = frames(packed(p), text(s), fr{op: opBinary, rsv: rsvCompressed, more: true, payload: p[:len(p)/2]}, fr{op: opPing}, fr{payload: p[len(p)/2:]})
			f.Add(stream, []byte{3}, byte(0xF3), byte(0))
			f.Add(stream, []byte{255}, byte(0xFB), byte(3))
			f.Add(frames(masked(packed(p)), masked(packed(p))), []byte{5}, byte(2), byte(0))
		}
		f.Add(frames(packed(bomb(f, 1<<20)), packed(d.message("after"))), []byte{100}, byte(3), byte(0))
		f.Add(frames(packed("\x01\x01\x00\xfe\xffx\x01\x01\x00\xfe\xffx\x00")), []byte{1}, byte(3), byte(0))
	}
}

// settled leaves out how far a message was read of which the end is missing or damaged: one library notices that sooner
// than the other. As far as both read, they must have read the same.
func settled(log, other []seen) []seen {
	log = slices.Clone(log)
	for i := range log {
		if log[i].Cut != CutCorrupt && log[i].Cut != CutCompressed || i >= len(other) {
			continue
		}
		log[i].Data = log[i].Data[:min(len(log[i].Data), len(other[i].Data))]
		log[i].Tail, log[i].Size = "", 0
	}
	return log
}

// FuzzReader compares with interpret, whole and in any chunks, and bounds the memory.
func FuzzReader(f *testing.F) {
	addStreams(f)
	f.Fuzz(func(t *testing.T, stream, sizes []byte, mode, limit byte) {
		from, opts := fuzzOptions(mode, limit)
		want, unfinished := interpret(from, opts, stream)
		before := bytes.Clone(stream)
		for _, chunks := range [][][]byte{{stream}, cutBy(stream, sizes), cut(stream, 1)} {
			sink := &recorder{}
			r := NewReader(from, sink, opts)
			for _, chunk := range chunks {
				r.Write(chunk)
				if n, most := held(r), heldAtMost(r.limit); n > most {
					t.Errorf("%d bytes held; want at most %d", n, most)
				}
			}
			if diff := cmp.Diff(settled(want, sink.log), settled(sink.log, want)); diff != "" {
				t.Errorf("%d chunks: calls differ (-want +got):\n%.3000s", len(chunks), diff)
			}
			if s := r.Stats(); s.Bytes != int64(len(stream)) || s.Lost == NotLost && s.Unfinished != unfinished {
				t.Errorf("%d chunks: stats = %+v; want %d bytes, unfinished %t", len(chunks), s, len(stream), unfinished)
			}
		}
		if !bytes.Equal(stream, before) {
			t.Error("the chunks were written to")
		}
	})
}
