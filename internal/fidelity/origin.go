package fidelity

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// newRequest returns request n of a seed: one for a stream, with a body of any
// size in one of several framings, and with headers that a proxy might touch.
func newRequest(ctx context.Context, base string, seed uint64, n int) (*http.Request, error) {
	r := source(seed, n, 1)
	body := fmt.Sprintf(`{"model":"m","stream":true,"input":[{"type":"message","role":"user","content":%q}]}`, strings.Repeat("word ", r.IntN(200)*r.IntN(10)))
	zipped := r.IntN(4) == 0
	if zipped {
		var b bytes.Buffer
		writer := gzip.NewWriter(&b)
		_, _ = io.WriteString(writer, body) // A Buffer takes everything.
		_ = writer.Close()
		body = b.String()
	}
	var reader io.Reader = strings.NewReader(body)
	if r.IntN(4) == 0 {
		reader = struct{ io.Reader }{reader} // of unknown length
	}
	url := fmt.Sprintf("%s/v1/responses?seed=%d&n=%d&odd=a%%2Fb+c;d", base, seed, n)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, reader)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	request.Header = http.Header{
		"Content-Type": {"application/json"}, "Authorization": {"Bearer sk-of-a-test-0123456789"},
		"User-Agent": {"codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm"}, "X-Forwarded-For": {"10.0.0.1"},
		"Session_id": {"s" + strconv.Itoa(n%50)}, "X-Many": {"one", "two", " three"},
	}
	if zipped {
		request.Header.Set("Content-Encoding", "gzip")
	}
	return request, nil
}

// Origin answers with the stream that the query of a request names.
type Origin struct{ pools [3][]byte } // by newline style

// NewOrigin returns an Origin.
func NewOrigin() *Origin {
	o := &Origin{}
	for style, newline := range []string{"\n", "\r\n", "\r"} {
		o.pools[style] = events(rand.New(rand.NewPCG(7, 7)), newline) //nolint:gosec // For tests.
	}
	return o
}

// poolBytes is how much is made of each newline style; streams are cut from it
// anywhere, so that they begin and end in the middle of anything, too.
const poolBytes = 1 << 20

// events returns events of all kinds: deltas, lifecycle, comments, data of
// several lines, none, huge, damaged, and bytes that are no text.
func events(r *rand.Rand, newline string) []byte {
	var b []byte
	line := func(parts ...string) {
		for _, part := range parts {
			b = append(b, part...)
		}
		b = append(b, newline...)
	}
	text := func(n int) string { return strings.Repeat("lorem ipsum – ", 1+n/16)[:n] }
	for i := 0; len(b) < poolBytes; i++ {
		switch r.IntN(12) {
		case 0:
			line(": keep-alive ", text(r.IntN(50)))
		case 1:
			line("event: response.created")
			line(`data: {"type":"response.created","response":{"id":"resp_`, strconv.Itoa(i), `"}}`)
		case 2:
			line("event: response.completed")
			line(`data: {"type":"response.completed","response":{"id":"resp_1","usage":{"input_tokens":1,"output_tokens":2}}}`)
		case 3:
			line("data: one", text(r.IntN(20)))
			line("data")
			line("data:three")
		case 4:
			line("event: response.output_item.done")
			line(`data: {"type":"response.output_item.done","item":{"type":"function_call","call_id":"c1","arguments":"`, text(r.IntN(60_000)), `"}}`)
		case 5:
			b = append(b, 0, 0xff, 0xfe, '\n', '\r', 0xc3)
			line("id: 7", strconv.Itoa(r.IntN(1<<16)), "\u0000ü")
		case 6:
			line(`data: {"type":`)
		default:
			line("event: response.output_text.delta")
			line(`data: {"type":"response.output_text.delta","delta":"`, text(r.IntN(120)), `"}`)
		}
		line()
	}
	return b[:poolBytes]
}

// ServeHTTP implements http.Handler.
func (o *Origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	seed, err := strconv.ParseUint(query.Get("seed"), 10, 64)
	n, wrong := strconv.Atoi(query.Get("n"))
	if err != nil || wrong != nil {
		http.Error(w, "no such stream", http.StatusNotFound)
		return
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, r.Body); err != nil {
		return // The client left.
	}
	// What the origin saw comes back as a header, which is compared.
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		fmt.Fprintf(sum, "%s: %q\n", name, r.Header[name])
	}
	fmt.Fprintln(sum, r.Method, r.RequestURI, r.ContentLength, r.TransferEncoding, r.Trailer)
	w.Header().Set("X-Request-Sum", hex.EncodeToString(sum.Sum(nil)))
	o.answer(w, newPlan(source(seed, n, 2), n))
}

// answer writes a response.
func (o *Origin) answer(w http.ResponseWriter, p plan) {
	header := w.Header()
	maps.Copy(header, p.header)
	if p.trailer {
		header.Set("Trailer", "X-Sum")
	}
	if p.length {
		header.Set("Content-Length", strconv.Itoa(p.size))
	}
	w.WriteHeader(p.status)
	control := http.NewResponseController(w)
	var out io.Writer = w
	flush := control.Flush
	if p.gzip {
		zipped := gzip.NewWriter(w)
		defer zipped.Close()
		out = zipped
		flush = func() error {
			if err := zipped.Flush(); err != nil {
				return err
			}
			return control.Flush()
		}
	}
	pool := o.pools[p.newlines]
	for written := 0; written < p.size; {
		from := (p.offset + written) % len(pool)
		size := min(p.chunk(written), p.size-written, len(pool)-from)
		if _, err := out.Write(pool[from : from+size]); err != nil {
			return // The client left.
		}
		if written += size; p.flushes(written) {
			if flush() != nil {
				return
			}
		}
	}
	if p.trailer {
		header.Set("X-Sum", strconv.Itoa(p.size))
	}
}
