package ssetap

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// hyphens is a Decoding that drops hyphens and holds back what comes after the last blank line. It notes what it is
// told, and panics on panicOn.
type hyphens struct {
	held    string
	calls   []string
	panicOn string
}

func (h *hyphens) Write(p []byte, yield func([]byte)) {
	h.calls = append(h.calls, "write "+string(p))
	if h.panicOn != "" && strings.Contains(string(p), h.panicOn) {
		panic("decoding broke")
	}
	h.held += strings.ReplaceAll(string(p), "-", "")
	n := 0
	if i := strings.LastIndex(h.held, "\n\n"); i >= 0 {
		n = i + 2
	}
	lent := []byte(h.held[:n])
	yield(lent)
	clear(lent)
	h.held = h.held[n:]
}

func (h *hyphens) Finish(yield func([]byte)) {
	h.calls = append(h.calls, "finish")
	if h.panicOn == "finish" {
		panic("decoding broke")
	}
	for part := range slices.Chunk([]byte(h.held), 5) {
		yield(part)
	}
}

func TestTapDecodes(t *testing.T) {
	decoding, sink := &hyphens{}, &recorder{}
	body := newScript(step{data: "d-ata: 1\n\ndata"}, step{data: ": -2\n-\n"}, step{data: "data: do-ne\n\nda", err: io.EOF})
	tap := NewTap(body, sink, Options{Decoding: decoding, Now: body.now})
	buf, read := make([]byte, 64), ""
	for i, want := range [][]string{nil, {":1"}, {":1", ":2"}, {":1", ":2", ":done"}} {
		n, err := tap.Read(buf)
		read += string(buf[:n])
		if diff := cmp.Diff(want, sink.log); diff != "" {
			t.Errorf("Read() %d = %d, %v; events differ (-want +got):\n%s", i, n, err, diff)
		}
	}
	if want := "d-ata: 1\n\ndata: -2\n-\ndata: do-ne\n\nda"; read != want {
		t.Errorf("read %q; want %q, as it came", read, want)
	}
	tap.Close()
	tap.Close()
	want := []string{"write d-ata: 1\n\ndata", "write : -2\n-\n", "write data: do-ne\n\nda", "finish"}
	if diff := cmp.Diff(want, decoding.calls); diff != "" {
		t.Errorf("calls differ (-want +got):\n%s", diff)
	}
	// The blank line of the second event came a second later than the event's data.
	at := []time.Time{start.Add(time.Second), start.Add(2 * time.Second), start.Add(3 * time.Second)}
	if diff := cmp.Diff(at, sink.at); diff != "" {
		t.Errorf("times differ (-want +got):\n%s", diff)
	}
	end := End{By: EndedByCompleted, EOF: true, Bytes: int64(len(read)), Events: 3, Unfinished: true}
	if diff := cmp.Diff([]End{end}, sink.ends, cmpopts.IgnoreFields(End{}, "At", "LastAt")); diff != "" {
		t.Errorf("End differs (-want +got):\n%s", diff)
	}
}

func TestTapShowsWhatIsLeft(t *testing.T) {
	sink := &recorder{}
	body := newScript(step{data: "data: 1\r\n\r\nda-ta"}, step{data: ": do-ne\r\n\r\ndata: half"})
	tap := NewTap(body, sink, Options{Decoding: &hyphens{}, Now: body.now})
	readAll(tap)
	if len(sink.log) != 0 {
		t.Errorf("events %q before Close; want none", sink.log)
	}
	tap.Close()
	if diff := cmp.Diff([]string{":1", ":done"}, sink.log); diff != "" {
		t.Errorf("events differ (-want +got):\n%s", diff)
	}
	if end := sink.ends[0]; end.By != EndedByCompleted || !end.Unfinished || end.Events != 2 || !end.LastAt.Equal(start.Add(2*time.Second)) {
		t.Errorf("End = %+v; want completed, unfinished, 2 events, the last at the last bytes", end)
	}
}

func TestBodyTapDecodes(t *testing.T) {
	sink := &bodies{}
	tap := NewBodyTap(newScript(step{data: `{"-a"`}, step{data: `:1-}`}), sink, Options{Decoding: &hyphens{}})
	if got, err := readAll(tap); got != `{"-a":1-}` || !same(err, io.EOF) {
		t.Errorf("read %q, %v; want the body as it came, EOF", got, err)
	}
	tap.Close()
	if diff := cmp.Diff([]message{data(`{"a":1}`)}, sink.events); diff != "" {
		t.Errorf("events differ (-want +got):\n%s", diff)
	}
	want := End{By: EndedByCompleted, EOF: true, Bytes: 9, Events: 1}
	if diff := cmp.Diff([]End{want}, sink.ends, cmpopts.IgnoreFields(End{}, "At", "LastAt")); diff != "" {
		t.Errorf("End differs (-want +got):\n%s", diff)
	}
}

func TestTapContainsPanicsOfDecoding(t *testing.T) {
	for _, c := range []struct {
		panicOn string
		calls   []string
	}{
		{"2", []string{"write 1", "write 2", "finish"}},
		{"finish", []string{"write 1", "write 2", "write 3", "finish"}},
	} {
		for name, wrap := range map[string]func(io.ReadCloser, Options) (io.ReadCloser, *[]End){
			"tap": func(body io.ReadCloser, opts Options) (io.ReadCloser, *[]End) {
				sink := &recorder{}
				return NewTap(body, sink, opts), &sink.ends
			},
			"body tap": func(body io.ReadCloser, opts Options) (io.ReadCloser, *[]End) {
				sink := &bodies{}
				return NewBodyTap(body, sink, opts), &sink.ends
			},
		} {
			decoding, told := &hyphens{panicOn: c.panicOn}, []any(nil)
			body := newScript(step{data: "1"}, step{data: "2"}, step{data: "3"})
			body.closeErr = errors.New("no")
			tap, ends := wrap(body, Options{Decoding: decoding, OnPanic: func(v any) { told = append(told, v) }})
			if got, err := readAll(tap); got != "123" || !same(err, io.EOF) {
				t.Errorf("%s, panic on %s: read %q, %v; want all of it", name, c.panicOn, got, err)
			}
			if err := tap.Close(); !same(err, body.closeErr) {
				t.Errorf("%s, panic on %s: Close() = %v; want %v", name, c.panicOn, err, body.closeErr)
			}
			if diff := cmp.Diff(c.calls, decoding.calls); diff != "" {
				t.Errorf("%s, panic on %s: calls differ (-want +got):\n%s", name, c.panicOn, diff)
			}
			if diff := cmp.Diff([]any{"decoding broke"}, told); diff != "" {
				t.Errorf("%s, panic on %s: OnPanic differs (-want +got):\n%s", name, c.panicOn, diff)
			}
			if len(*ends) != 1 || (*ends)[0].Panics != 1 {
				t.Errorf("%s, panic on %s: ends %+v; want one with a panic", name, c.panicOn, *ends)
			}
		}
	}
}

func TestTapWithoutDecodingCostsNothing(t *testing.T) {
	sink := &counter{}
	body := io.NopCloser(strings.NewReader(""))
	allocs := func(opts Options) float64 {
		return testing.AllocsPerRun(100, func() { NewTap(body, sink, opts).Close() })
	}
	// The tap, its options, and the function that delivers its events.
	if n := allocs(Options{}); n > 3 {
		t.Errorf("%v allocations for a tap; want at most 3", n)
	}
	if n := allocs(Options{Decoding: &hyphens{}}); n <= 3 {
		t.Errorf("%v allocations with a Decoding; the test measures nothing", n)
	}
}
