package coding

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// encoder is what all encoders have in common.
type encoder interface {
	io.WriteCloser
	Flush() error
}

// codec is a way to encode a body.
type codec struct {
	name   string // of the test
	coding string // Content-Encoding
	open   func(io.Writer) (encoder, error)
	// checked tells that damage is noticed by a checksum.
	checked bool
}

func codecs() []codec {
	return []codec{
		{"gzip", "gzip", func(w io.Writer) (encoder, error) { return gzip.NewWriterLevel(w, 6) }, true},
		{"gzip stored", "x-gzip", func(w io.Writer) (encoder, error) { return gzip.NewWriterLevel(w, gzip.NoCompression) }, true},
		{"zlib", "deflate", func(w io.Writer) (encoder, error) { return zlib.NewWriterLevel(w, 6) }, true},
		{"bare deflate", "deflate", func(w io.Writer) (encoder, error) { return flate.NewWriter(w, 6) }, false},
		{"br", "br", func(w io.Writer) (encoder, error) { return brotli.NewWriterLevel(w, 5), nil }, false},
		{"zstd", "zstd", func(w io.Writer) (encoder, error) { return newZstdEncoder(w, zstd.SpeedDefault, true) }, true},
		{"zstd without checksum", "zstd", func(w io.Writer) (encoder, error) { return newZstdEncoder(w, zstd.SpeedBetterCompression, false) }, false},
	}
}

// slowCodecs encode to what the others do not, and take long for it.
func slowCodecs() []codec {
	return []codec{
		{"br 11", "br", func(w io.Writer) (encoder, error) { return brotli.NewWriterLevel(w, 11), nil }, false},
		{"zstd best", "zstd", func(w io.Writer) (encoder, error) { return newZstdEncoder(w, zstd.SpeedBestCompression, true) }, true},
	}
}

// newZstdEncoder returns an encoder with the window that libzstd has at its default level, which is Codex's.
func newZstdEncoder(w io.Writer, level zstd.EncoderLevel, checksum bool) (encoder, error) {
	return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(2<<20),
		zstd.WithEncoderLevel(level), zstd.WithEncoderCRC(checksum))
}

// encoded returns what body becomes, with a flush after each part.
func (c codec) encoded(tb testing.TB, parts ...string) []byte {
	tb.Helper()
	var b bytes.Buffer
	e, err := c.open(&b)
	if err != nil {
		tb.Fatalf("open %s: %v", c.name, err)
	}
	for i, part := range parts {
		if i > 0 {
			err = e.Flush()
		}
		if _, werr := io.WriteString(e, part); err != nil || werr != nil {
			tb.Fatalf("encode %s: %v, %v", c.name, err, werr)
		}
	}
	if err := e.Close(); err != nil {
		tb.Fatalf("encode %s: %v", c.name, err)
	}
	return b.Bytes()
}

// chunks returns what an encoder sends for each part up to the end of the flush that follows it, and at last the rest.
func (c codec) chunks(tb testing.TB, parts ...string) [][]byte {
	tb.Helper()
	var b bytes.Buffer
	e, err := c.open(&b)
	if err != nil {
		tb.Fatalf("open %s: %v", c.name, err)
	}
	var chunks [][]byte
	next := func() {
		chunks = append(chunks, bytes.Clone(b.Bytes()))
		b.Reset()
	}
	for _, part := range parts {
		if _, err := io.WriteString(e, part); err != nil {
			tb.Fatalf("encode %s: %v", c.name, err)
		}
		if err := e.Flush(); err != nil {
			tb.Fatalf("flush %s: %v", c.name, err)
		}
		next()
	}
	if err := e.Close(); err != nil {
		tb.Fatalf("encode %s: %v", c.name, err)
	}
	next()
	return chunks
}

// document is JSON of n bytes that compresses as bodies of requests do.
func document(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `{"type":"message","role":"user","id":"msg_%x","content":[{"type":"input_text","text":"line %d of some output: %x"}]},`, i*7919, i, i*104729)
	}
	return b.String()[:n]
}

// events is a stream of n deltas, one a piece.
func events(n int) []string {
	pieces := make([]string, n)
	for i := range pieces {
		pieces[i] = fmt.Sprintf("event: response.output_text.delta\n"+
			`data: {"type":"response.output_text.delta","sequence_number":%d,"item_id":"msg_1","output_index":0,"delta":" word%d","obfuscation":"%x"}`+"\n\n",
			i, i, i*7919)
	}
	return pieces
}

// decode gives a body to a Decoder in chunks of size bytes and returns what comes out.
func decode(pool *Pool, contentEncoding string, body []byte, size int) (string, Result) {
	d := pool.Decoder([]string{contentEncoding})
	var got strings.Builder
	yield := func(b []byte) { got.Write(b) }
	for chunk := range slices.Chunk(body, size) {
		lent := bytes.Clone(chunk)
		d.Write(lent, yield)
		clear(lent) // as the next read may do
	}
	d.Finish(yield)
	return got.String(), d.Result()
}
