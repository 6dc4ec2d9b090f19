package coding

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// bomb is the body of total zeros in a coding, made by repeating what one flushed part of them becomes. It has no end.
func bomb(tb testing.TB, c codec, total int) []byte {
	tb.Helper()
	const part = 4 << 20
	zeros := strings.Repeat("\x00", part)
	chunks := c.chunks(tb, zeros, zeros)
	return append(chunks[0], bytes.Repeat(chunks[1], total/part-1)...)
}

func TestDecoderStopsBombs(t *testing.T) {
	const total, bound = 10 << 30, 8 << 20
	for _, c := range codecs() {
		if c.name == "gzip stored" {
			continue // it grows
		}
		body := bomb(t, c, total)
		pool := &Pool{MaxBytes: bound}
		zeros := make([]byte, bufferBytes)
		decoded, others := 0, 0
		yield := func(b []byte) {
			decoded += len(b)
			if !bytes.Equal(b, zeros[:len(b)]) {
				others++
			}
		}
		d := pool.Decoder([]string{c.coding})
		before := allocated()
		d.Write(body, yield)
		if got := allocated() - before; got > 24<<20 {
			t.Errorf("%s: %d bytes allocated; want at most the window and some", c.name, got)
		}
		if decoded != bound || others > 0 {
			t.Errorf("%s: decoded %d bytes, %d pieces not zeros; want %d zeros", c.name, decoded, others, bound)
		}
		if result := d.Result(); result.State != TooLarge || result.Err == nil {
			t.Errorf("%s: %+v; want too large", c.name, result)
		}
		// What follows costs nothing: all is given back, and nothing decoded.
		if d.buffer != nil || d.layers[0] != nil {
			t.Errorf("%s: memory held after the bound", c.name)
		}
		if n := testing.AllocsPerRun(10, func() { d.Write(body, yield) }); n != 0 || decoded != bound {
			t.Errorf("%s: %v allocations, %d bytes decoded after the bound; want none more", c.name, n, decoded-bound)
		}
		d.Finish(yield)
		if result := d.Result(); result.State != TooLarge || result.Encoded != 12*int64(len(body)) || decoded != bound {
			t.Errorf("%s: %+v, %d bytes decoded; want too large, all bytes counted", c.name, result, decoded)
		}
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestDecoderBound(t *testing.T) {
	const bound = 50_000
	pool := &Pool{MaxBytes: bound}
	for _, c := range codecs() {
		for size, want := range map[int]State{bound - 1: Done, bound: Done, bound + 1: TooLarge, 3 * bound: TooLarge} {
			body := document(size)
			encoded := c.encoded(t, body)
			for _, chunk := range []int{1, 1000, 1 << 20} {
				got, result := decode(pool, c.coding, encoded, chunk)
				if got != body[:min(size, bound)] || result.State != want || result.Decoded != int64(len(got)) {
					t.Errorf("%s of %d bytes in chunks of %d: decoded %d, %+v; want the first %d, %v",
						c.name, size, chunk, len(got), result, min(size, bound), want)
				}
			}
		}
	}
}

// TestDecoderBoundsEveryCoding has bodies whose outer coding is a bomb of which the inner one makes nothing.
func TestDecoderBoundsEveryCoding(t *testing.T) {
	const bound = 1 << 20
	pool := &Pool{MaxBytes: bound}
	all := codecs()
	empty := string(all[0].encoded(t, ""))
	nothing := strings.Repeat(empty, 4*bound/len(empty))
	if got, result := decode(pool, "gzip", []byte(nothing), 1<<20); got != "" || result.State != Done {
		t.Errorf("empty members: decoded %d bytes, %+v; want none, done", len(got), result)
	}
	for _, c := range all {
		got, result := decode(pool, "gzip, "+c.coding, c.encoded(t, nothing), 1400)
		if got != "" || result.State != TooLarge {
			t.Errorf("empty members in %s: decoded %d bytes, %+v; want none, too large", c.name, len(got), result)
		}
	}
}

func TestDecoderWindow(t *testing.T) {
	for _, c := range []struct {
		window, max int
		single      bool
		want        State
	}{
		{8 << 20, 0, false, Done}, // what RFC 9659 wants to be read
		{16 << 20, 0, false, TooLarge},
		{16 << 20, 16 << 20, false, Done},
		{1 << 20, 1 << 19, false, TooLarge},
		{1 << 10, 1, false, Done},
		{0, 1 << 20, true, TooLarge},
		{0, 2 << 20, true, Done},
	} {
		var b bytes.Buffer
		opts := []zstd.EOption{zstd.WithEncoderConcurrency(1), zstd.WithSingleSegment(c.single)}
		if c.window > 0 {
			opts = append(opts, zstd.WithWindowSize(c.window))
		}
		e, err := zstd.NewWriter(&b, opts...)
		if err != nil {
			t.Fatal(err)
		}
		body := []byte(document(2 << 20))
		if c.single {
			b.Write(e.EncodeAll(body, nil))
		} else {
			e.Write(body)
			e.Close()
		}
		pool := &Pool{MaxWindowBytes: uint64(c.max)}
		got, result := decode(pool, "zstd", b.Bytes(), 1400)
		if result.State != c.want || c.want == Done && got != string(body) {
			t.Errorf("window of %d, at most %d: decoded %d bytes, %+v; want %v", c.window, c.max, len(got), result, c.want)
		}
	}
	// A frame that only asks.
	frame := []byte("\x28\xb5\x2f\xfd\x00\xa8abc")
	before := allocated()
	if _, result := decode(&Pool{}, "zstd", frame, 1400); result.State != TooLarge {
		t.Errorf("window of 2 GiB: %+v; want too large", result)
	}
	if n := allocated() - before; n > 1<<20 {
		t.Errorf("window of 2 GiB: %d bytes allocated", n)
	}
}
