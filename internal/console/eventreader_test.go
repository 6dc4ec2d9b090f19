package console

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEventReader(t *testing.T) {
	tests := []struct {
		name, stream string
		want         []Event
		wantID       string
	}{
		{"one", "id: 1\nevent: a\ndata: x\n\n", []Event{{"1", "a", []byte("x")}}, "1"},
		{"carriage returns", "id: 1\r\nevent: a\r\ndata: x\r\n\r\n", []Event{{"1", "a", []byte("x")}}, "1"},
		{"lines", "data: x\ndata:  y\ndata\n\n", []Event{{"", "", []byte("x\n y\n")}}, ""},
		{"id alone", ": hello\nid: 7\n\ndata: x\n\n", []Event{{"7", "", []byte("x")}}, "7"},
		{"broken off", "id: 1\ndata: x\n\nid: 2\ndata: y\n", []Event{{"1", "", []byte("x")}}, "1"},
		{"name without data", "event: a\n\ndata: x\n\n", []Event{{"", "", []byte("x")}}, ""},
		{"id with NUL", "id: 1\x002\ndata: x\n\n", []Event{{"", "", []byte("x")}}, ""},
		{"large", "id: 1\ndata: 0123456789abcdef\n\nid: 2\ndata: x\n\n", []Event{{"", "too large", nil}, {"2", "", []byte("x")}}, "2"},
		{"large in lines", "id: 1\ndata: 01234567\ndata: 01234567\n\ndata: x\n\n", []Event{{"", "too large", nil}, {"1", "", []byte("x")}}, "1"},
		{"large by far", "id: 1\ndata: " + strings.Repeat("x", 100_000) + "\n\ndata: x\n\n", []Event{{"", "too large", nil}, {"1", "", []byte("x")}}, "1"},
		{"just fits", "data: 0123456789abcde\n\n", []Event{{"", "", []byte("0123456789abcde")}}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newEventReader(strings.NewReader(test.stream), 16)
			got := readAll(r)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if r.lastID != test.wantID {
				t.Errorf("last id = %q; want %q", r.lastID, test.wantID)
			}
		})
	}
}

// readAll returns the events of a stream; one that is too large says so in its
// name.
func readAll(r *eventReader) []Event {
	var all []Event
	for {
		event, err := r.next()
		switch {
		case err == nil:
			all = append(all, event)
		case errors.Is(err, errEventSize):
			all = append(all, Event{Name: "too large"})
		default:
			return all
		}
	}
}

// FuzzEventReader checks that neither the size of reads nor what came before
// changes what is read.
func FuzzEventReader(f *testing.F) {
	f.Add("id: 1\nevent: a\ndata: x\n\n: c\nid: 2\r\n\r\ndata: y\ndata\n\n", uint8(1))
	f.Fuzz(func(t *testing.T, stream string, size uint8) {
		whole := newEventReader(strings.NewReader(stream), 64)
		want := readAll(whole)
		chunks := func(yield func([]byte) bool) {
			for chunk := range slices.Chunk([]byte(stream), int(size%32)+1) {
				if !yield(chunk) {
					return
				}
			}
		}
		split := newEventReader(&chunkReader{chunks: slices.Collect(chunks)}, 64)
		if diff := cmp.Diff(want, readAll(split)); diff != "" || whole.lastID != split.lastID {
			t.Errorf("split into %d bytes (-whole +split), ids %q and %q:\n%s", size%32+1, whole.lastID, split.lastID, diff)
		}
		for _, event := range want {
			if len(event.Data) > 64 {
				t.Errorf("event has %d bytes; want 64 at most", len(event.Data))
			}
		}
	})
}

type chunkReader struct{ chunks [][]byte }

func (r *chunkReader) Read(p []byte) (int, error) {
	if len(r.chunks) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.chunks[0])
	if r.chunks[0] = r.chunks[0][n:]; len(r.chunks[0]) == 0 {
		r.chunks = r.chunks[1:]
	}
	return n, nil
}
