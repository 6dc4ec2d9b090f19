package wstap

import (
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInflateZlib reads what zlib 1.2.13 made, the library of most other peers, with context takeover and Z_SYNC_FLUSH.
func TestInflateZlib(t *testing.T) {
	messages := []string{
		`{"type":"response.output_text.delta","delta":"Hel"}`,
		`{"type":"response.output_text.delta","delta":"lo"}`,
		``,
		`{"type":"response.completed","response":{"usage":{"input_tokens":1,"output_tokens":2}}}`,
	}
	usual := []string{
		"aa562aa92c4855b2522a4a2d2ec8cf2b4ed5cb2f2d29282d892f49ad28d14b49cd294954d25182d0564a1ea9394ab50000",
		"aa26494b4ebe522d00",
		"00",
		"c2d4919c9f5b90935a929a0254091354b2aa562a2d4e4c073332f3c026e667a7e6152b5919ea28c1ec808a18d5d6d60200",
	}
	for _, c := range []struct {
		name     string
		bits     int
		payloads []string
	}{
		{"usual", 15, usual},
		{"windowBits=9, memLevel=1", 9, usual},
		{"Z_HUFFMAN_ONLY", 12, []string{
			"aa562aa92c4855b2522a4a2d2ec8cf2b4ed5cb2f2d29282d892f49ad28d14b49cd294954d2514a49cd294954b252f248cd51aa0500",
			"aa562aa92c4855b2522a4a2d2ec8cf2b4ed5cb2f2d29282d892f49ad28d14b49cd294954d2514a49cd294954b252cac957aa0500",
			"00",
			"04c1410a80300c04c0bfec59043de633457411a926c1a40729fdbb331df9392178196e1a9c777bfc66f2c08497e1a64148478bed24a4e3526f59" +
				"d22a3520cb046be92d4b5aa506641d63fc00",
		}},
		{"Z_FINISH for the first and the last", 15, []string{
			"ab562aa92c4855b2522a4a2d2ec8cf2b4ed5cb2f2d29282d892f49ad28d14b49cd294954d25182d0564a1ea9394ab50000",
			"aa562aa92c4855b2522a4a2d2ec8cf2b4ed5cb2f2d29282d892f49ad28d14b49cd294954d25182d0564a39f94ab50000",
			"00",
			"abc6d0919c9f5b90935a929a0254091354b2aa562a2d4e4c073332f3c026e667a7e6152b5919ea28c1ec808a18d5d6d6020000",
		}},
	} {
		var stream []byte
		var want []seen
		for i, payload := range c.payloads {
			b, err := hex.DecodeString(payload)
			if err != nil {
				t.Fatal(err)
			}
			stream = packed(string(b)).appendTo(stream)
			want = append(want, unpacked(messages[i], len(b)))
		}
		for _, size := range []int{1, 13, len(stream)} {
			got, _ := read(FromServer, Options{Deflate: Deflate{Enabled: true, ServerMaxWindowBits: c.bits}}, cut(stream, size)...)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, chunks of %d: calls differ (-want +got):\n%s", c.name, size, diff)
			}
		}
	}
}
