package wstap

import (
	"bytes"
	"compress/flate"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInflateAcrossLastBlocks has a message that refers back past last blocks of its own, and a next one that refers to
// all of it.
func TestInflateAcrossLastBlocks(t *testing.T) {
	parts := []string{noise(6, 700), noise(7, 300), noise(8, 500)}
	var past, payload string
	for _, part := range parts {
		payload += deflateAfter(t, past, past+part, true)
		past += past + part
	}
	first := payload + "\x00"
	second := deflateAfter(t, past, past, false)
	if len(second) > len(past)/10 {
		t.Fatalf("%d bytes compressed to %d; the test needs references", len(past), len(second))
	}
	for _, takeover := range []bool{true, false} {
		got, _ := read(FromServer, Options{Deflate: Deflate{Enabled: true, ServerNoContextTakeover: !takeover}}, frames(packed(first), packed(second)))
		want := []seen{unpacked(past, len(first)), unpacked(past, len(second))}
		if !takeover {
			want[1] = seen{Kind: "text", WireSize: int64(len(second)), Compressed: true, Cut: CutCorrupt}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("takeover %t: calls differ (-want +got):\n%.3000s", takeover, diff)
		}
	}
}

// deflateAfter compresses s as what follows past, to a last block or as a message.
func deflateAfter(t *testing.T, past, s string, last bool) string {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriterDict(&b, 9, []byte(past))
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, s)
	if last {
		w.Close()
		return b.String()
	}
	w.Flush()
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
}

// TestInflateLastBlocks bounds what a small message can cost: every last block makes the window be copied.
func TestInflateLastBlocks(t *testing.T) {
	block := "\x01\x01\x00\xfe\xffx" // a last block with an x
	for _, c := range []struct {
		blocks int
		want   Cut
	}{{1, Whole}, {2, Whole}, {maxLastBlocks - 1, Whole}, {maxLastBlocks + 1, CutCorrupt}, {100_000, CutCorrupt}} {
		payload := strings.Repeat(block, c.blocks) + "\x00"
		got, _ := read(FromServer, deflated, frames(packed(payload)))
		if got[0].Cut != c.want || got[0].Size != int64(min(c.blocks, maxLastBlocks)) {
			t.Errorf("%d blocks: %v, %d bytes; want %v", c.blocks, got[0].Cut, got[0].Size, c.want)
		}
	}
}
