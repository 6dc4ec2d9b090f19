package coding

import (
	"bytes"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

func TestDecoderMembers(t *testing.T) {
	all := codecs()
	for _, c := range []codec{all[0], all[5]} {
		var encoded []byte
		pieces := append(events(20), "", document(100_000))
		want := strings.Join(pieces, "")
		for _, piece := range pieces {
			if c.coding == "zstd" {
				// A skippable frame, RFC 8878 §3.1.2.
				encoded = append(encoded, "\x53\x2a\x4d\x18\x05\x00\x00\x00abcde"...)
			}
			encoded = append(encoded, c.encoded(t, piece)...)
		}
		for _, size := range []int{1, 100, 1 << 20} {
			if got, result := decode(&Pool{}, c.coding, encoded, size); got != want || result.State != Done {
				t.Errorf("%s in chunks of %d: decoded %d bytes, %+v; want all of %d, done", c.name, size, len(got), result, len(want))
			}
		}
	}
}

// TestDecoderAfterTheEnd has bytes that belong to nothing.
func TestDecoderAfterTheEnd(t *testing.T) {
	for _, c := range codecs() {
		for after, want := range map[string]State{
			"\x00": Done,
			"\r\n": Done,
			"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00": Done,
			"garbage":  Done,
			"\x1f":     Truncated, // of another gzip member
			"\x1f\x8b": Truncated,
			"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xff": Malformed,
		} {
			if !strings.HasSuffix(c.coding, "gzip") {
				want = Done
			}
			for _, size := range []int{1, 1 << 20} {
				got, result := decode(&Pool{}, c.coding, append(c.encoded(t, "body"), after...), size)
				if c.coding == "zstd" {
					// Every byte after a frame belongs to another one.
					if want = Malformed; len(after) < 4 {
						want = Truncated
					}
				}
				if got != "body" || result.State != want {
					t.Errorf("%s and %q: decoded %q, %+v; want body, %v", c.name, after, got, result, want)
				}
			}
		}
	}
}

func TestDecoderGzipHeader(t *testing.T) {
	for _, c := range []struct {
		name   string
		header gzip.Header
	}{
		{"name", gzip.Header{Name: "a file"}},
		{"comment", gzip.Header{Comment: "a comment"}},
		{"extra", gzip.Header{Extra: []byte("some\x00bytes")}},
		{"empty extra", gzip.Header{Extra: []byte{}}},
		{"all", gzip.Header{Name: strings.Repeat("n", 10_000), Comment: "c", Extra: bytes.Repeat([]byte("e"), 0xffff), OS: 3}},
	} {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Header = c.header
		w.Write([]byte("body"))
		w.Close()
		for _, size := range []int{1, 100, 1 << 20} {
			if got, result := decode(&Pool{}, "gzip", b.Bytes(), size); got != "body" || result.State != Done {
				t.Errorf("%s in chunks of %d: decoded %q, %+v; want body, done", c.name, size, got, result)
			}
		}
	}
}

// TestDecoderGzipHeaderSum has a member with a checksum of its header, which no encoder writes that is at hand.
func TestDecoderGzipHeaderSum(t *testing.T) {
	const member = "\x1f\x8b\x08\x02\x00\x00\x00\x00\x00\xff\x90\xc9\xab\x00\x00\x83\x16\xdc\x8c\x01\x00\x00\x00"
	if got, result := decode(&Pool{}, "gzip", []byte(member), 5); got != "x" || result.State != Done {
		t.Errorf("decoded %q, %+v; want x, done", got, result)
	}
	damaged := strings.Replace(member, "\xff", "\x03", 1)
	if got, result := decode(&Pool{}, "gzip", []byte(damaged), 5); got != "" || result.State != Malformed {
		t.Errorf("damaged: decoded %q, %+v; want nothing, malformed", got, result)
	}
}

func TestDecoderDictionary(t *testing.T) {
	dictionary := []byte(document(1_000))
	var b bytes.Buffer
	w, err := zlib.NewWriterLevelDict(&b, 6, dictionary)
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("body"))
	w.Close()
	if got, result := decode(&Pool{}, "deflate", b.Bytes(), 5); got != "" || result.State != Unsupported {
		t.Errorf("zlib: decoded %q, %+v; want nothing, unsupported", got, result)
	}
	b.Reset()
	e, err := zstd.NewWriter(&b, zstd.WithEncoderDictRaw(7, dictionary), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	e.Write([]byte("body"))
	e.Close()
	if got, result := decode(&Pool{}, "zstd", b.Bytes(), 5); got != "" || result.State != Unsupported {
		t.Errorf("zstd: decoded %q, %+v; want nothing, unsupported", got, result)
	}
}
