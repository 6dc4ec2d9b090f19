package coding

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestDecoderAnyChunking(t *testing.T) {
	pool := &Pool{}
	long := document(100_000)
	for _, c := range append(codecs(), slowCodecs()...) {
		for _, body := range []string{"x", "data: {}\n\n", document(5_000), long} {
			encoded := c.encoded(t, body[:len(body)/2], body[len(body)/2:])
			for _, size := range []int{1, 2, 3, 7, 1400, 16 << 10, 1 << 20} {
				got, result := decode(pool, c.coding, encoded, size)
				if got != body {
					t.Errorf("%s, %d bytes in chunks of %d: decoded %d bytes, not the body", c.name, len(body), size, len(got))
				}
				want := Result{State: Done, Encoded: int64(len(encoded)), Decoded: int64(len(body))}
				if diff := cmp.Diff(want, result); diff != "" {
					t.Errorf("%s, %d bytes in chunks of %d: Result differs (-want +got):\n%s", c.name, len(body), size, diff)
				}
			}
		}
	}
}

func TestDecoderLists(t *testing.T) {
	pool := &Pool{}
	body := document(50_000)
	all := codecs()
	each := []codec{all[0], all[2], all[4], all[5]}
	for _, first := range each {
		for _, second := range each {
			encoded := second.encoded(t, string(first.encoded(t, body)))
			for _, values := range []string{
				first.coding + ", " + second.coding,
				" ,identity," + strings.ToUpper(first.coding) + " ,\t" + second.coding + ",identity",
			} {
				got, result := decode(pool, values, encoded, 1400)
				if got != body || result.State != Done {
					t.Errorf("%q: decoded %d bytes, %+v; want the body, done", values, len(got), result)
				}
			}
		}
	}
	three := all[0].encoded(t, string(all[4].encoded(t, string(all[5].encoded(t, body)))))
	if got, result := decode(pool, "zstd,br,gzip", three, 100); got != body || result.State != Done {
		t.Errorf("three codings: decoded %d bytes, %+v; want the body, done", len(got), result)
	}
}

// TestDecoderFlush is why there is a Decoder: what the sender has flushed is there with the last byte of the flush.
func TestDecoderFlush(t *testing.T) {
	pool := &Pool{}
	pieces := events(50)
	for _, c := range codecs() {
		for _, size := range []int{1, 5, 1 << 20} {
			checkFlush(t, pool, fmt.Sprintf("%s, chunks of %d", c.name, size), c.coding, c.chunks(t, pieces...), pieces, size)
		}
	}
	// Flushed through every coding of a list.
	var inner, outer bytes.Buffer
	first, _ := codecs()[0].open(&inner)
	second, _ := codecs()[4].open(&outer)
	var chunks [][]byte
	for _, piece := range pieces {
		first.Write([]byte(piece))
		first.Flush()
		second.Write(inner.Bytes())
		second.Flush()
		chunks = append(chunks, bytes.Clone(outer.Bytes()))
		inner.Reset()
		outer.Reset()
	}
	checkFlush(t, pool, "gzip, br", "gzip, br", chunks, pieces, 1<<20)
}

func checkFlush(t *testing.T, pool *Pool, name, coding string, chunks [][]byte, pieces []string, size int) {
	t.Helper()
	d := pool.Decoder([]string{coding})
	got := ""
	yield := func(b []byte) { got += string(b) }
	defer d.Finish(yield)
	for i, piece := range pieces {
		got = ""
		for chunk := chunks[i]; len(chunk) > 0; {
			n := min(size, len(chunk))
			d.Write(chunk[:n], yield)
			chunk = chunk[n:]
		}
		if got != piece {
			t.Errorf("%s: decoded %q after flush %d; want %q", name, got, i, piece)
			return
		}
	}
}

func TestDecoderSamples(t *testing.T) {
	file, err := os.ReadFile("testdata/samples.txt")
	if err != nil {
		t.Fatal(err)
	}
	var pieces []string
	for i := range 3 {
		pieces = append(pieces, fmt.Sprintf("event: response.output_text.delta\n"+
			`data: {"type":"response.output_text.delta","sequence_number":%d,"delta":" w%d"}`+"\n\n", i, i))
	}
	pool := &Pool{}
	samples := 0
	for line := range strings.Lines(string(file)) {
		fields := strings.Fields(line)
		if fields[0] == "#" {
			continue
		}
		samples++
		d := pool.Decoder(fields[1:2])
		got, want := "", ""
		yield := func(b []byte) { got += string(b) }
		for i, field := range fields[2:] {
			chunk, err := base64.StdEncoding.DecodeString(field)
			if err != nil {
				t.Fatalf("%s: decode chunk %d: %v", fields[0], i, err)
			}
			d.Write(chunk, yield)
			want = strings.Join(pieces[:min(i+1, len(pieces))], "")
			// A partial flush has no end that the library can see.
			if got != want && (fields[0] != "gzip-partial" || i == 3) {
				t.Errorf("%s: decoded %q after chunk %d; want %q", fields[0], got, i, want)
			}
		}
		d.Finish(yield)
		if got != want || d.Result().State != Done {
			t.Errorf("%s: decoded %q, %+v; want all three events, done", fields[0], got, d.Result())
		}
	}
	if samples < 7 {
		t.Errorf("%d samples; want all", samples)
	}
}

func TestDecoderTruncated(t *testing.T) {
	pool := &Pool{}
	pieces := events(3)
	body := strings.Join(pieces, "")
	for _, c := range codecs() {
		encoded := c.encoded(t, pieces...)
		for n := range len(encoded) {
			for _, size := range []int{1, 1 << 20} {
				got, result := decode(pool, c.coding, encoded[:n], size)
				want := Result{State: Truncated, Encoded: int64(n), Decoded: int64(len(got))}
				if n == 0 {
					want.State = Done
				}
				if diff := cmp.Diff(want, result, cmpopts.IgnoreFields(Result{}, "Err")); diff != "" {
					t.Errorf("%s, %d bytes of %d in chunks of %d: Result differs (-want +got):\n%s", c.name, n, len(encoded), size, diff)
				}
				if (result.Err != nil) != (n > 0) {
					t.Errorf("%s, %d bytes of %d: Err = %v", c.name, n, len(encoded), result.Err)
				}
				if !strings.HasPrefix(body, got) {
					t.Errorf("%s, %d bytes of %d: decoded %q; want a part of the body", c.name, n, len(encoded), got)
				}
			}
		}
		// Cut off right after the second flush, nothing of what came before is lost.
		chunks := c.chunks(t, pieces...)
		if got, _ := decode(pool, c.coding, bytes.Join(chunks[:2], nil), 1<<20); got != pieces[0]+pieces[1] {
			t.Errorf("%s, cut off after two events: decoded %q", c.name, got)
		}
	}
}

// TestDecoderGivesWhatIsLeft cuts a body off that was never flushed.
func TestDecoderGivesWhatIsLeft(t *testing.T) {
	body := document(1_000)
	for _, c := range codecs()[:5] {
		encoded := c.encoded(t, body)
		got, result := decode(&Pool{}, c.coding, encoded[:len(encoded)-10], 1<<20)
		if result.State != Truncated || len(got) < 800 || !strings.HasPrefix(body, got) {
			t.Errorf("%s: decoded %d bytes, %+v; want most of %d, truncated", c.name, len(got), result, len(body))
		}
	}
}

func TestDecoderDamaged(t *testing.T) {
	pool := &Pool{}
	pieces := events(3)
	body := strings.Join(pieces, "")
	for _, c := range codecs() {
		encoded := c.encoded(t, pieces...)
		malformed := 0
		for i := range len(encoded) * 8 {
			damaged := bytes.Clone(encoded)
			damaged[i/8] ^= 1 << (i % 8)
			got, result := decode(pool, c.coding, damaged, 50)
			switch result.State {
			case Done:
				if c.checked && got != body {
					t.Errorf("%s, bit %d flipped: done with another body", c.name, i)
				}
			case Truncated, Unsupported, TooLarge:
			case Malformed:
				malformed++
			default:
				t.Errorf("%s, bit %d flipped: %+v", c.name, i, result)
			}
			if result.Decoded != int64(len(got)) || (result.Err == nil) != (result.State == Done) {
				t.Errorf("%s, bit %d flipped: %+v after %d bytes", c.name, i, result, len(got))
			}
		}
		// A stored block has little that could be wrong before the checksum, and bare DEFLATE data little at all.
		if malformed < len(encoded)/2 {
			t.Errorf("%s: only %d of %d damages noticed", c.name, malformed, len(encoded)*8)
		}
	}
}

func TestDecoderOtherBodies(t *testing.T) {
	pool := &Pool{}
	for _, coding := range []string{"gzip", "br", "zstd", "deflate"} {
		// What a server sends that forgot to encode.
		got, result := decode(pool, coding, []byte(document(10_000)), 1400)
		if result.State != Malformed || result.Err == nil {
			t.Errorf("%s of plain JSON: decoded %d bytes, %+v; want malformed", coding, len(got), result)
		}
	}
}

func TestDecoderIdentity(t *testing.T) {
	for _, values := range []string{"", "identity", " Identity , "} {
		body := document(10_000)
		got, result := decode(&Pool{MaxBytes: 1}, values, []byte(body), 1400)
		if want := (Result{State: Done, Encoded: 10_000, Decoded: 10_000}); got != body || result != want {
			t.Errorf("%q: decoded %d bytes, %+v; want the body, %+v", values, len(got), result, want)
		}
	}
}

func TestDecoderUnsupported(t *testing.T) {
	for values, want := range map[string]error{
		"compress":               errUnknown,
		"gzip, aws-chunked":      errUnknown,
		"gzip;q=1":               errUnknown,
		"gzip, br, gzip, br":     errTooMany,
		strings.Repeat("br,", 9): errTooMany,
	} {
		d := (&Pool{}).Decoder([]string{values})
		if got := d.Result(); got.State != Unsupported || got.Err != want { //nolint:errorlint // identity is meant
			t.Errorf("%q: %+v at once; want unsupported, %v", values, got, want)
		}
		d.Write([]byte("abc"), func([]byte) { t.Errorf("%q: decoded something", values) })
		d.Finish(func([]byte) { t.Errorf("%q: decoded something", values) })
		if got := d.Result(); got.State != Unsupported || got.Encoded != 3 || got.Decoded != 0 {
			t.Errorf("%q: %+v; want unsupported, 3 bytes", values, got)
		}
	}
}

func TestDecoderFinishes(t *testing.T) {
	c := codecs()[0]
	encoded := c.encoded(t, "x")
	d := (&Pool{}).Decoder([]string{c.coding})
	got := ""
	yield := func(b []byte) { got += string(b) }
	d.Write(encoded, yield)
	if state := d.Result().State; state != Open {
		t.Errorf("State = %v before Finish; want open, as another member may come", state)
	}
	d.Finish(yield)
	d.Finish(yield)
	d.Write(encoded, yield)
	if want := (Result{State: Done, Encoded: int64(len(encoded)), Decoded: 1}); got != "x" || d.Result() != want {
		t.Errorf("decoded %q, %+v; want x, %+v", got, d.Result(), want)
	}
}
