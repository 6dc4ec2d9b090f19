package coding

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
)

// FuzzDecoder has bodies of all kinds. Whatever they are, the Decoder keeps to its bounds, tells how it ended and does
// not depend on how they are cut; and it reads all gzip that the standard library reads.
func FuzzDecoder(f *testing.F) {
	names := []string{"gzip", "deflate", "br", "zstd", "gzip, br", "zstd, gzip", "deflate, deflate, zstd"}
	pieces := events(2)
	for _, c := range codecs() {
		for i, name := range names {
			if !strings.HasSuffix(c.coding, name) && i < 4 {
				continue
			}
			encoded := c.encoded(f, pieces...)
			f.Add(uint8(i), encoded, uint16(1))
			f.Add(uint8(i), encoded[:len(encoded)/2], uint16(10))
			f.Add(uint8(i), c.encoded(f, strings.Repeat("\x00", 100_000)), uint16(100))
			f.Add(uint8(i), c.encoded(f, string(encoded)), uint16(100))
		}
	}
	const bound = 64 << 10
	pool := &Pool{MaxBytes: bound, MaxWindowBytes: 1 << 20}
	f.Fuzz(func(t *testing.T, i uint8, body []byte, size uint16) {
		name := names[int(i)%len(names)]
		got, result := decode(pool, name, body, max(int(size), 1))
		whole, once := decode(pool, name, body, max(len(body), 1))
		for _, r := range []Result{result, once} {
			if r.State == Open || r.State == Broken || (r.Err == nil) != (r.State == Done) {
				t.Errorf("%s: %+v", name, r)
			}
			if r.Encoded != int64(len(body)) || r.Decoded > bound {
				t.Errorf("%s: %+v; want %d bytes encoded, at most %d decoded", name, r, len(body), bound)
			}
		}
		if result.Decoded != int64(len(got)) || once.Decoded != int64(len(whole)) {
			t.Errorf("%s: decoded %d and %d bytes; want %d and %d", name, len(got), len(whole), result.Decoded, once.Decoded)
		}
		if strings.Contains(name, "br") && (result.State != Done || once.State != Done) {
			// Decoded bytes that the library has not given yet when it meets damage are lost.
			if !strings.HasPrefix(got, whole) && !strings.HasPrefix(whole, got) {
				t.Errorf("%s: %q in chunks of %d, %q at once", name, got, size, whole)
			}
		} else if got != whole || result.State != once.State {
			t.Errorf("%s: %q, %v in chunks of %d; %q, %v at once", name, got, result.State, size, whole, once.State)
		}
		if name != "gzip" {
			return
		}
		if errors.Is(once.Err, errGzipHeader) {
			return // The standard library takes reserved flags, which RFC 1952 §2.3.1.2 and zlib refuse.
		}
		if want, err := standard(body, bound); err == nil && (once.State != Done || whole != want) {
			t.Errorf("decoded %q, %+v; want %q as the standard library", whole, once, want)
		}
	})
}

// standard decodes gzip of at most limit bytes.
func standard(body []byte, limit int64) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(b)) > limit {
		err = errTooLarge
	}
	return string(b), err
}
