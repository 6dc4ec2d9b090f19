package wstap

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kflate "github.com/klauspost/compress/flate"
)

var deflated = Options{Deflate: Deflate{Enabled: true}}

// noise is text that does not compress, of printable bytes, from a seed.
func noise(seed uint64, n int) string {
	rng := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(33 + rng.IntN(90))
	}
	return string(b)
}

func TestInflateExamples(t *testing.T) {
	hello := whole("Hello")
	hello.Compressed = true
	for _, c := range []struct {
		name, stream string
		want         []int // sizes on the wire
	}{
		// RFC 7692 §7.2.3.
		{"one block", "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", []int{7}},
		{"fragmented", "\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00", []int{7}},
		{"context takeover", "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00", []int{7, 5}},
		{"block without compression", "\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", []int{11}},
		{"last block", "\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00", []int{8}},
		{"two blocks", "\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", []int{13}},
		// Not in the RFC.
		{"last block, nothing after it", "\xc1\x07\xf3\x48\xcd\xc9\xc9\x07\x00", []int{7}},
		{"last block, then takeover", "\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00\xc1\x05\xf2\x00\x11\x00\x00", []int{8, 5}},
		// "Hel" in a last block, then "lo" by reference to it is no shorter, so all of it twice: a block after the last one.
		{"last block, then another", "\xc1\x0c\x01\x03\x00\xfc\xffHel" + "\xca\xc9\x07\x00", []int{12}},
	} {
		for size := 1; size <= len(c.stream); size++ {
			got, _ := read(FromServer, deflated, cut([]byte(c.stream), size)...)
			var want []seen
			for _, n := range c.want {
				hello.WireSize = int64(n)
				want = append(want, hello)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, chunks of %d: calls differ (-want +got):\n%s", c.name, size, diff)
			}
		}
	}
}

func TestInflateEmptyMessages(t *testing.T) {
	d := newDeflater(t, 6, true)
	first, second := d.message("some text"), d.message("some text")
	stream := frames(packed(first), packed("\x00"), packed(""), packed(second))
	got, _ := read(FromServer, deflated, stream)
	want := []seen{unpacked("some text", len(first)), unpacked("", 1), unpacked("", 0), unpacked("some text", len(second))}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls differ (-want +got):\n%s", diff)
	}
}

// TestInflateTakeover sends messages of many sizes that repeat what came before, near and far, and others in between.
func TestInflateTakeover(t *testing.T) {
	past := noise(1, 300_000)
	for _, takeover := range []bool{true, false} {
		for _, level := range []int{0, 1, 6, 9, flate.HuffmanOnly} {
			for _, from := range []Direction{FromServer, FromClient} {
				d := newDeflater(t, level, takeover)
				rng := rand.New(rand.NewPCG(2, uint64(level+3)))
				var stream []byte
				var want []seen
				send := func(f fr) {
					if from == FromClient {
						f.key = string([]byte{byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32())})
					}
					stream = f.appendTo(stream)
				}
				for i := range 60 {
					n := rng.IntN(1 << (1 + rng.IntN(17)))
					at := min(rng.IntN(len(past)), i*2000) // what it repeats is within the window, or just past it
					s := past[at:min(at+n, len(past))]
					if i%7 == 3 {
						send(text(s))
						want = append(want, whole(s))
						continue
					}
					p := d.message(s)
					want = append(want, unpacked(s, len(p)))
					if i%2 == 0 && len(p) > 3 {
						send(fr{op: opText, rsv: rsvCompressed, more: true, payload: p[:len(p)/3]})
						send(fr{op: opPing, payload: "still there"})
						p = p[len(p)/3:]
						send(fr{payload: p})
						continue
					}
					send(packed(p))
				}
				opts := Options{Deflate: Deflate{Enabled: true, ClientNoContextTakeover: !takeover, ServerNoContextTakeover: !takeover}}
				for _, size := range []int{1400, len(stream)} {
					got, stats := read(from, opts, cut(stream, size)...)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("takeover %t, level %d, from %v, chunks of %d: calls differ (-want +got):\n%.3000s", takeover, level, from, size, diff)
					}
					if stats.Undecoded != 0 || stats.Lost != NotLost {
						t.Errorf("stats = %+v; want nothing lost", stats)
					}
				}
			}
		}
	}
}

// TestInflateOneSide has takeover in one direction only: the Reader must take the parameters of its own.
func TestInflateOneSide(t *testing.T) {
	for _, c := range []struct {
		from    Direction
		deflate Deflate
		want    Cut // of a message that refers to the one before
	}{
		{FromClient, Deflate{Enabled: true, ServerNoContextTakeover: true}, Whole},
		{FromServer, Deflate{Enabled: true, ClientNoContextTakeover: true}, Whole},
		{FromClient, Deflate{Enabled: true, ClientNoContextTakeover: true}, CutCorrupt},
		{FromServer, Deflate{Enabled: true, ServerNoContextTakeover: true}, CutCorrupt},
		{FromServer, Deflate{Enabled: true, ClientMaxWindowBits: 8}, Whole},
		{FromClient, Deflate{Enabled: true, ServerMaxWindowBits: 8}, Whole},
		{FromServer, Deflate{Enabled: true, ServerMaxWindowBits: 11}, Whole},
		{FromClient, Deflate{Enabled: true, ClientMaxWindowBits: 8}, CutCorrupt},
		{FromServer, Deflate{Enabled: true, ServerMaxWindowBits: 10}, CutCorrupt},
	} {
		d := newDeflater(t, 9, true)
		s := noise(3, 1500) // refers 1500 bytes back
		first, second := packed(d.message(s)), packed(d.message(s))
		if c.from == FromClient {
			first, second = masked(first), masked(second)
		}
		got, _ := read(c.from, Options{Deflate: c.deflate}, frames(first, second))
		if len(got) != 2 || got[0].Cut != Whole || got[1].Cut != c.want {
			t.Errorf("from %v, %+v: cuts %v, %v; want whole, %v", c.from, c.deflate, got[0].Cut, got[1].Cut, c.want)
		}
	}
}

func TestInflateWindowBits(t *testing.T) {
	for bits := 8; bits <= maxWindowBits; bits++ {
		size := 1 << bits
		var packets bytes.Buffer
		w, err := kflate.NewWriterWindow(&packets, size)
		if err != nil {
			t.Fatal(err)
		}
		// Each message repeats the one before, from three quarters of the window back.
		s := noise(uint64(bits), size*3/4)
		var stream []byte
		var want []seen
		for range 5 {
			packets.Reset()
			io.WriteString(w, s)
			w.Flush()
			p := strings.TrimSuffix(packets.String(), "\x00\x00\xff\xff")
			stream = packed(p).appendTo(stream)
			want = append(want, unpacked(s, len(p)))
		}
		got, _ := read(FromServer, Options{Deflate: Deflate{Enabled: true, ServerMaxWindowBits: bits}}, stream)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d bits: calls differ (-want +got):\n%.2000s", bits, diff)
		}
		if bits == 8 {
			continue
		}
		// Half the window is too small for that, so the window kept is no larger than was agreed on.
		got, _ = read(FromServer, Options{Deflate: Deflate{Enabled: true, ServerMaxWindowBits: bits - 1}}, stream)
		if got[1].Cut != CutCorrupt {
			t.Errorf("%d bits for %d: the second message is %v; want corrupt", bits-1, bits, got[1].Cut)
		}
	}
}

// TestInflatePool runs Readers of one Pool side by side, message by message.
func TestInflatePool(t *testing.T) {
	opts := deflated
	opts.Pool = &Pool{}
	const readers = 4
	var sinks [readers]recorder
	var all [readers]*Reader
	var peers [readers]*deflater
	var want [readers][]seen
	for i := range readers {
		all[i], peers[i] = NewReader(FromServer, &sinks[i], opts), newDeflater(t, 6, true)
	}
	for range 20 {
		for i := range readers {
			s := fmt.Sprintf("reader %d has its own context and nobody else's", i)
			p := peers[i].message(s)
			all[i].Write(frames(packed(p)))
			want[i] = append(want[i], unpacked(s, len(p)))
			if all[i].packing.inflater != nil {
				t.Fatal("an idle Reader holds a decompressor of the Pool")
			}
		}
	}
	for i := range readers {
		if diff := cmp.Diff(want[i], sinks[i].log); diff != "" {
			t.Errorf("reader %d: calls differ (-want +got):\n%s", i, diff)
		}
	}
	// Under the race detector a sync.Pool drops some of what it gets.
	for range 100 {
		if opts.Pool.free.Get() != nil {
			return
		}
		all[0].Write(frames(packed("\x00")))
	}
	t.Error("no decompressor came back to the Pool")
}
