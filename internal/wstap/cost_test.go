package wstap

import (
	"fmt"
	"strings"
	"testing"
)

// deltas is n messages as a model's answer has them.
func deltas(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`{"type":"response.output_text.delta","sequence_number":%d,"item_id":"msg_68a1c0ffee","output_index":0,"content_index":0,"delta":"word %d","logprobs":[],"obfuscation":%q}`,
			i, i, noise(uint64(i), i%16))
	}
	return all
}

// traffic is messages as one side sends them.
func traffic(tb testing.TB, from Direction, compress bool, messages ...string) []byte {
	tb.Helper()
	d := newDeflater(tb, 6, true)
	var stream []byte
	for i, s := range messages {
		f := text(s)
		if compress {
			f = packed(d.message(s))
		}
		if from == FromClient {
			f.key = string([]byte{byte(i), byte(i >> 8), 0x21, 0x3d})
		}
		stream = f.appendTo(stream)
	}
	return stream
}

func TestReaderAllocatesNothing(t *testing.T) {
	for _, compress := range []bool{false, true} {
		for _, from := range []Direction{FromServer, FromClient} {
			// The first message refers to nothing, so the stream can be fed over and over.
			stream := traffic(t, from, compress, deltas(200)...)
			for _, size := range []int{1, 7, 1400, 32 << 10} {
				messages := 0
				r := NewReader(from, &funcSink{message: func(m *Message) {
					messages++
					if m.Cut != Whole {
						t.Errorf("message is %v", m.Cut)
					}
				}}, deflated)
				chunks := cut(stream, size)
				allocs := testing.AllocsPerRun(10, func() {
					for _, chunk := range chunks {
						r.Write(chunk)
					}
				})
				if allocs != 0 {
					t.Errorf("from %v, compressed %t, chunks of %d: %v allocations for 200 messages; want 0", from, compress, size, allocs)
				}
				if messages != 11*200 {
					t.Errorf("from %v, compressed %t, chunks of %d: %d messages; want %d", from, compress, size, messages, 11*200)
				}
			}
		}
	}
}

func TestReaderGivesMemoryBack(t *testing.T) {
	big := strings.Repeat(noise(1, 700_000), 2)
	for _, limit := range []int{0, 2 << 20, 1 << 10} {
		for _, compress := range []bool{false, true} {
			opts := deflated
			opts.MaxMessageBytes = limit
			stream := traffic(t, FromClient, compress, big)
			most := 0
			r := NewReader(FromClient, nil, opts)
			for _, chunk := range cut(stream, 1400) {
				most = max(most, held(r))
				r.Write(chunk)
			}
			if bound := heldAtMost(r.limit); most > bound {
				t.Errorf("limit %d, compressed %t: %d bytes held; want at most %d", limit, compress, most, bound)
			}
			if limit != 1<<10 && most < 1<<20 {
				t.Errorf("limit %d, compressed %t: held at most %d bytes; the test needs a larger message", limit, compress, most)
			}
			// Left are the buffers for the next message and, with compression, the window.
			if n := held(r); n > 2*keepBytes+48<<10 {
				t.Errorf("limit %d, compressed %t: %d bytes held after a giant message; want at most %d", limit, compress, n, 2*keepBytes+48<<10)
			}
			if compress && r.packing.inflater.in.Size() != 0 {
				t.Errorf("limit %d: the decompressor still holds the message", limit)
			}
			r.Write(frames(masked(closing(1000, ""))))
			if n := held(r); n != 0 {
				t.Errorf("limit %d, compressed %t: %d bytes held after the close frame; want none", limit, compress, n)
			}
		}
	}
}

// TestReaderTrustsNoLength announces large frames and sends little of them.
func TestReaderTrustsNoLength(t *testing.T) {
	for _, head := range []string{"\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", "\xc1\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"} {
		r := NewReader(FromServer, nil, deflated)
		r.Write([]byte(head + "a little"))
		if n := held(r); n > minBytes {
			t.Errorf("%d bytes held for 8; want at most %d", n, minBytes)
		}
		if s := r.Stats(); s.Lost != NotLost || !s.Unfinished {
			t.Errorf("stats = %+v; want an unfinished message", s)
		}
	}
}

// TestReaderLostCostsNothing feeds a lot to a Reader that has given up.
func TestReaderLostCostsNothing(t *testing.T) {
	r := NewReader(FromServer, nil, Options{})
	r.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	chunk := traffic(t, FromServer, false, deltas(100)...)
	if allocs := testing.AllocsPerRun(10, func() { r.Write(chunk) }); allocs != 0 {
		t.Errorf("%v allocations; want 0", allocs)
	}
	if s := r.Stats(); s.Lost != LostReservedBits || s.Messages != 0 || s.Unfinished || s.Bytes != int64(18+11*len(chunk)) {
		t.Errorf("stats = %+v; want nothing but bytes after the loss", s)
	}
}
