package wstap

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bomb is a payload that inflates to n zero bytes.
func bomb(tb testing.TB, n int) string {
	tb.Helper()
	return newDeflater(tb, 9, false).message(strings.Repeat("\x00", n))
}

// TestInflateLong has messages that are cut when they are decompressed, and next ones that refer to their end.
func TestInflateLong(t *testing.T) {
	for _, c := range []struct{ limit, length int }{
		{3000, 3001}, {3000, 40_000}, {3000, TailBytes}, {3000, 300_000}, {40_000, 40_001}, {100_000, 300_000}, {290_000, 300_000},
	} {
		d := newDeflater(t, 9, true)
		body := strings.Repeat(noise(4, 499), 1000)[:c.length]
		opts := deflated
		opts.MaxMessageBytes, opts.MaxInflatedBytes = c.limit, 1<<20
		first, next := d.message(body), body[c.length-1000:]
		second := d.message(next)
		if len(first) > c.limit || len(second) > len(next)/2 {
			t.Fatalf("limit %d: %d and %d bytes compressed; the test needs fewer", c.limit, len(first), len(second))
		}
		got, _ := read(FromServer, opts, frames(packed(first), packed(second)))
		want := unpacked(body[:c.limit], len(first))
		want.Size, want.Tail, want.Cut = int64(c.length), body[max(0, c.length-TailBytes):], CutLong
		if diff := cmp.Diff([]seen{want, unpacked(next, len(second))}, got); diff != "" {
			t.Errorf("limit %d, %d bytes: calls differ (-want +got):\n%.2000s", c.limit, c.length, diff)
		}
	}
}

func TestInflateBombStops(t *testing.T) {
	boom := bomb(t, 4<<20)
	for _, takeover := range []bool{true, false} {
		opts := Options{
			Deflate:         Deflate{Enabled: true, ServerNoContextTakeover: !takeover},
			MaxMessageBytes: 70_000, MaxInflatedBytes: 1 << 20,
		}
		d := newDeflater(t, 9, true)
		before, after := d.message("what is known"), d.message("what is known")
		fresh := newDeflater(t, 9, true)
		self, next := fresh.message("on its own"), fresh.message("on its own")
		got, stats := read(FromServer, opts, frames(
			packed(before), packed(boom), // the context is gone
			packed(after),              // refers to what is gone
			packed(self), packed(next), // the first of these refers to nothing, the second to the first
		))
		zeros := unpacked(strings.Repeat("\x00", 70_000), len(boom))
		zeros.Size, zeros.Cut = 1<<20, CutInflated
		second := unpacked("on its own", len(next))
		if !takeover {
			second.Data, second.Size, second.Cut = "", 0, CutCorrupt // it breaks the agreement: it refers back
		}
		want := []seen{
			unpacked("what is known", len(before)), zeros,
			{Kind: "text", WireSize: int64(len(after)), Compressed: true, Cut: CutCorrupt},
			unpacked("on its own", len(self)), second,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("takeover %t: calls differ (-want +got):\n%.3000s", takeover, diff)
		}
		undecoded := int64(0)
		for _, m := range want {
			if m.Cut != Whole {
				undecoded++
			}
		}
		if stats.Undecoded != undecoded || stats.Truncated != 0 {
			t.Errorf("takeover %t: Undecoded = %d, Truncated = %d; want %d, 0", takeover, stats.Undecoded, stats.Truncated, undecoded)
		}
	}
}

func TestInflateUpToTheBound(t *testing.T) {
	for _, n := range []int{1<<20 - 1, 1 << 20, 1<<20 + 1} {
		opts := Options{Deflate: Deflate{Enabled: true}, MaxMessageBytes: 70_000, MaxInflatedBytes: 1 << 20}
		got, _ := read(FromServer, opts, frames(packed(bomb(t, n))))
		want := CutLong
		if n > 1<<20 {
			want = CutInflated
		}
		if got[0].Cut != want || got[0].Size != int64(min(n, 1<<20)) || (got[0].Tail != "") != (want == CutLong) {
			t.Errorf("%d bytes: %v, size %d, tail of %d; want %v", n, got[0].Cut, got[0].Size, len(got[0].Tail), want)
		}
	}
}

// TestInflateCompressedTooLong has a message that is not even kept in compressed form. Its beginning is.
func TestInflateCompressedTooLong(t *testing.T) {
	s := noise(5, 100_000)
	d := newDeflater(t, 0, false) // stored blocks: a byte is a byte
	p := d.message(s)
	opts := Options{Deflate: Deflate{Enabled: true, ServerNoContextTakeover: true}, MaxMessageBytes: 50_000}
	next := d.message("next")
	for _, size := range []int{1, 1400, 1 << 20} {
		got, _ := read(FromServer, opts, cut(frames(packed(p), packed(next)), size)...)
		if got[0].Cut != CutCompressed || got[0].WireSize != int64(len(p)) || got[0].Tail != "" {
			t.Errorf("chunks of %d: %v, %d bytes on the wire; want compressed, %d", size, got[0].Cut, got[0].WireSize, len(p))
		}
		if n := len(got[0].Data); n < 40_000 || n > 50_000 || got[0].Data != s[:n] {
			t.Errorf("chunks of %d: Data of %d bytes is not the beginning", size, n)
		}
		if diff := cmp.Diff(unpacked("next", len(next)), got[1]); diff != "" {
			t.Errorf("chunks of %d: the next message differs (-want +got):\n%s", size, diff)
		}
	}
}

func TestInflateCorrupt(t *testing.T) {
	d := newDeflater(t, 9, true)
	good := d.message("some text that is long enough to be worth it")
	for _, c := range []struct{ name, payload, data string }{
		{"reserved block type", "\x07", ""},
		{"stored length wrong", "\x00\x05\x00\xfa\xfeHello", ""},
		{"stored too short", "\x00\x05\x00\xfa\xffHel", "Hel\x00\x00"}, // what is added belongs to the block by its length
		{"refers before the start", "\xf2\x00\x11\x00\x00", "H"},
		{"ends within a block", good[:len(good)/2], ""},
	} {
		got, stats := read(FromServer, deflated, frames(packed(c.payload), packed(good), text("plain"), closing(1000, "")))
		if len(got) != 4 || got[0].Cut != CutCorrupt || stats.Undecoded != 1 {
			t.Fatalf("%s: %+v, %d undecoded; want corrupt, 1", c.name, got[0], stats.Undecoded)
		}
		if c.data != "" && got[0].Data != c.data {
			t.Errorf("%s: Data = %q; want %q", c.name, got[0].Data, c.data)
		}
		if got[1].Cut != Whole || got[2].Data != "plain" || got[3].Kind != "close" {
			t.Errorf("%s: what follows is %+v; want it whole", c.name, got[1:])
		}
	}
}
