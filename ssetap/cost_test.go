package ssetap

import (
	"slices"
	"strings"
	"testing"
)

func TestDecoderAllocatesNothing(t *testing.T) {
	stream := deltas(200)
	for _, size := range []int{1, 7, 1400, 32 << 10} {
		d, events := &Decoder{}, 0
		chunks := cut(stream, size)
		yield := func(*Event) { events++ }
		feed := func() {
			for _, chunk := range chunks {
				d.Write(chunk, yield)
			}
		}
		if allocs := testing.AllocsPerRun(10, feed); allocs != 0 {
			t.Errorf("chunks of %d: %v allocations for 200 events; want 0", size, allocs)
		}
		if events == 0 {
			t.Errorf("chunks of %d: no events", size)
		}
	}
}

func TestDecoderWorkIsLinear(t *testing.T) {
	// Each byte is searched for LF and for CR, copied once, and moved about once when the buffer grows or, past the
	// limit, once when the tail slides.
	const most = 6
	for _, limit := range []int{0, 1 << 10} {
		for _, size := range []int{1, 1400, 32 << 10} {
			for _, length := range []int{128 << 10, 2 << 20} {
				for _, eol := range []string{"\n", "\r", "\r\n"} {
					d := &Decoder{MaxEventBytes: limit}
					stream := "data: " + strings.Repeat("x", length) + eol + eol
					events := 0
					for chunk := range slices.Chunk([]byte(stream), size) {
						d.Write(chunk, func(*Event) { events++ })
					}
					if events != 1 {
						t.Fatalf("limit %d, chunks of %d: %d events; want 1", limit, size, events)
					}
					if work := d.scanned + d.pending.data.work; work > int64(most*len(stream)) {
						t.Errorf("limit %d, event of %d bytes in chunks of %d: work %d, %d a byte; want at most %d",
							limit, length, size, work, work/int64(len(stream)), most)
					}
				}
			}
		}
	}
}

func TestDecoderWorkOnShortLinesIsLinear(t *testing.T) {
	for _, line := range []string{"\n", "\r", "\r\n", "x\n", "data: 1\r", "data:\n", ":\r\n"} {
		d := &Decoder{}
		stream := strings.Repeat(line, 256<<10/len(line))
		decode(d, []byte(stream))
		if work := d.scanned + d.pending.data.work; work > int64(6*len(stream)) {
			t.Errorf("%q over and over: work %d for %d bytes; want at most 6 a byte", line, work, len(stream))
		}
	}
}

func TestDecoderGivesMemoryBack(t *testing.T) {
	for _, limit := range []int{0, 1 << 10} {
		d := &Decoder{MaxEventBytes: limit}
		held := 0
		yield := func(*Event) {}
		for _, chunk := range cut("data: "+strings.Repeat("x", 2<<20)+"\n\n", 1400) {
			held = max(held, cap(d.pending.data.head)+cap(d.pending.data.tail))
			d.Write(chunk, yield)
		}
		if held <= keepBytes {
			t.Errorf("limit %d: held at most %d bytes; the test needs a larger event", limit, held)
		}
		if n := cap(d.pending.data.head) + cap(d.pending.data.tail) + cap(d.event.Data) + cap(d.event.Tail); n > keepBytes {
			t.Errorf("limit %d: %d bytes held after a giant event; want at most %d", limit, n, keepBytes)
		}
	}
}
