package coding

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/ssetap"
)

// A Decoder stands between the bytes that a tap passes on and those it looks at.
var _ ssetap.Decoding = (*Decoder)(nil)

// chunked is a body that comes in chunks.
type chunked [][]byte

func (c *chunked) Read(p []byte) (int, error) {
	if len(*c) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*c)[0])
	*c = (*c)[1:]
	return n, nil
}

func (*chunked) Close() error { return nil }

// sink remembers what it sees.
type sink struct {
	data []string
	end  ssetap.End
}

func (s *sink) Event(e *ssetap.Event) bool {
	s.data = append(s.data, string(e.Data))
	return false
}

func (s *sink) End(end ssetap.End) { s.end = end }

func TestTapSeesFlushedEvents(t *testing.T) {
	pool := &Pool{}
	pieces := []string{"data: 0\n\n", "data: 1\n\n", "data: 2\n\n"}
	for _, c := range codecs() {
		chunks := c.chunks(t, pieces...)
		wire := bytes.Join(chunks, nil)
		body, s, d := chunked(chunks), &sink{}, pool.Decoder([]string{c.coding})
		tap := ssetap.NewTap(&body, s, ssetap.Options{Decoding: d})
		buf := make([]byte, 32<<10)
		var want []string
		var passed []byte
		for i := 0; ; i++ {
			n, err := tap.Read(buf)
			passed = append(passed, buf[:n]...)
			if diff := cmp.Diff(want, s.data); diff != "" {
				t.Errorf("%s: events at Read %d differ (-want +got):\n%s", c.name, i, diff)
			}
			if err != nil {
				break
			}
			if i < len(pieces) {
				want = append(want, fmt.Sprint(i))
			}
		}
		tap.Close()
		if !bytes.Equal(passed, wire) {
			t.Errorf("%s: passed on other bytes than came", c.name)
		}
		if r := d.Result(); r.State != Done || s.end.Events != 3 || s.end.Bytes != int64(len(wire)) {
			t.Errorf("%s: %+v, %+v; want done, 3 events", c.name, r, s.end)
		}
	}
}

func TestBodyTapSeesDocument(t *testing.T) {
	pool := &Pool{}
	want := document(100_000)
	for _, c := range codecs() {
		s := &sink{}
		tap := ssetap.NewBodyTap(io.NopCloser(bytes.NewReader(c.encoded(t, want))), s, ssetap.Options{
			Decoding: pool.Decoder([]string{c.coding}),
		})
		if _, err := io.Copy(io.Discard, struct{ io.Reader }{tap}); err != nil {
			t.Fatal(err)
		}
		tap.Close()
		if len(s.data) != 1 || s.data[0] != want || s.end.Truncated != 0 {
			t.Errorf("%s: %d documents, %+v; want the body", c.name, len(s.data), s.end)
		}
	}
}
