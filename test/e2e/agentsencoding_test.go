package e2e_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestOpenAINodeEncodings compresses answers, which fetch asks for and which must arrive as they are.
func TestOpenAINodeEncodings(t *testing.T) {
	script := startPlayers(t, "openai.mjs")
	encodings := map[string]func([][]byte) []byte{"gzip": gzipped, "deflate": deflated, "br": brotlied}
	for encoding, encode := range encodings {
		t.Run(encoding+" document", func(t *testing.T) {
			hello := stored("resp_1", "completed")
			hello.Header = http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {encoding}}
			hello.Body = encode([][]byte{hello.Body})
			a := agent{
				program: script.scenario("create"),
				api:     func(api *responsestest.Server) { api.Once(hello) },
				want:    slices.Concat(begins("1", 9), created("1", 0)),
			}
			a.check(t)
		})
		t.Run(encoding+" stream", func(t *testing.T) {
			var events [][]byte
			for _, event := range greeting("resp_1") {
				events = append(events, event.AppendTo(nil))
			}
			greet := responsestest.Response{Header: http.Header{"Content-Encoding": {encoding}}, Body: encode(events), ChunkBytes: 40}
			a := agent{
				program: script.scenario("stream"),
				api:     func(api *responsestest.Server) { api.Once(greet) },
				want:    slices.Concat(begins("1", 9), asks("1", 0), greeted()),
			}
			a.check(t)
		})
	}
}

func gzipped(parts [][]byte) []byte {
	var b bytes.Buffer
	return written(&b, gzip.NewWriter(&b), parts)
}

func deflated(parts [][]byte) []byte {
	var b bytes.Buffer
	return written(&b, zlib.NewWriter(&b), parts)
}

// written returns what w writes to b, flushed after each part.
func written(b *bytes.Buffer, w interface {
	io.WriteCloser
	Flush() error
}, parts [][]byte,
) []byte {
	for _, part := range parts {
		_, _ = w.Write(part) // a Buffer takes everything
		_ = w.Flush()
	}
	_ = w.Close()
	return b.Bytes()
}

// brotlied puts each part into an uncompressed meta-block (RFC 7932 §9.2), of at most 64 KiB. Nothing is smaller for it, but it
// takes a decoder to read.
func brotlied(parts [][]byte) []byte {
	var b []byte
	shift := 1 // WBITS is one bit, 0
	for _, part := range parts {
		// ISLAST 0, MNIBBLES 0 for four of them, MLEN-1, ISUNCOMPRESSED 1, and bits to the end of a byte.
		header := (uint32(len(part)-1)<<3 | 1<<19) << shift
		b = append(b, byte(header), byte(header>>8), byte(header>>16))
		b = append(b, part...)
		shift = 0
	}
	return append(b, 3) // ISLAST, ISLASTEMPTY
}
