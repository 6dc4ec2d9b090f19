package wstap

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReaderTruncates(t *testing.T) {
	body := strings.Repeat("0123456789", 20_000)
	tail := body[len(body)-TailBytes:]
	for _, c := range []struct {
		name  string
		limit int
		body  string
		want  seen
	}{
		{"at the limit", 10, body[:10], seen{Data: body[:10]}},
		{"one more", 10, body[:11], seen{Data: body[:10], Tail: body[:11], Cut: CutLong}},
		{"limit of one", 1, body[:100], seen{Data: body[:1], Tail: body[:100], Cut: CutLong}},
		{"tail within", 10, body, seen{Data: body[:10], Tail: tail, Cut: CutLong}},
		{"tail overlaps", 190_000, body, seen{Data: body[:190_000], Tail: tail, Cut: CutLong}},
	} {
		c.want.Kind, c.want.Size, c.want.WireSize = "text", int64(len(c.body)), int64(len(c.body))
		half := len(c.body) / 2
		for name, f := range map[string][]fr{
			"one frame":  {text(c.body)},
			"two frames": {{op: opText, more: true, payload: c.body[:half]}, {payload: c.body[half:]}},
		} {
			for _, from := range []Direction{FromServer, FromClient} {
				var stream []byte
				for _, f := range append(f, text("next")) {
					if from == FromClient {
						f = masked(f)
					}
					stream = f.appendTo(stream)
				}
				for _, size := range []int{1, 1400, 70_001, len(stream)} {
					got, stats := read(from, Options{MaxMessageBytes: c.limit}, cut(stream, size)...)
					if len(got) != 2 || got[1].Size != 4 {
						t.Fatalf("%s, %s: %d messages; want 2", c.name, name, len(got))
					}
					if diff := cmp.Diff(c.want, got[0]); diff != "" {
						t.Errorf("%s, %s from %v in chunks of %d: message differs (-want +got):\n%.2000s", c.name, name, from, size, diff)
					}
					cuts := int64(0)
					for _, m := range got {
						if m.Cut == CutLong {
							cuts++
						}
					}
					if stats.Truncated != cuts {
						t.Errorf("%s: Truncated = %d; want %d", c.name, stats.Truncated, cuts)
					}
				}
			}
		}
	}
}
