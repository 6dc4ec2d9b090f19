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

func TestTapObservesAfterPassingOn(t *testing.T) {
	sink := &recorder{}
	tap := NewTap(newScript(step{data: "data: 1\n\n"}, step{data: "data: 2\n\n", err: io.EOF}), sink, Options{})
	buf := make([]byte, 64)
	for i, want := range []struct {
		n      int
		err    error
		events int
	}{{9, nil, 0}, {9, nil, 1}, {0, io.EOF, 2}} {
		n, err := tap.Read(buf)
		if n != want.n || !same(err, want.err) {
			t.Errorf("Read() %d = %d, %v; want %d, %v", i, n, err, want.n, want.err)
		}
		if len(sink.log) != want.events {
			t.Errorf("%d events after Read %d; want %d", len(sink.log), i, want.events)
		}
	}
	if len(sink.ends) != 0 {
		t.Errorf("End before Close")
	}
	tap.Close()
	if len(sink.ends) != 1 {
		t.Errorf("%d ends after Close; want 1", len(sink.ends))
	}
}

// orderedWriter notes writes in the log of a recorder.
type orderedWriter struct{ sink *recorder }

func (w orderedWriter) Write(p []byte) (int, error) {
	w.sink.log = append(w.sink.log, "write "+strings.TrimSpace(string(p)))
	return len(p), nil
}

func TestTapInACopyLoop(t *testing.T) {
	sink := &recorder{}
	tap := NewTap(newScript(step{data: "data: 1\n\n"}, step{data: "data: 2\n\n"}), sink, Options{})
	// The wrappers hide other methods, so that the loop is Read and Write as in a proxy.
	if _, err := io.Copy(struct{ io.Writer }{orderedWriter{sink}}, struct{ io.Reader }{tap}); err != nil {
		t.Fatalf("Copy() = %v", err)
	}
	tap.Close()
	want := []string{"write data: 1", ":1", "write data: 2", ":2"}
	if diff := cmp.Diff(want, sink.log); diff != "" {
		t.Errorf("order differs (-want +got):\n%s", diff)
	}
}

func TestTapPassesBytesOn(t *testing.T) {
	for _, c := range framingCases() {
		var steps []step
		for chunk := range slices.Chunk([]byte(c.stream), 200) {
			steps = append(steps, step{data: string(chunk)})
		}
		sink := &recorder{}
		tap := NewTap(newScript(steps...), sink, Options{})
		got, err := readAll(tap)
		tap.Close()
		if got != c.stream || !same(err, io.EOF) {
			t.Errorf("%s: read %d bytes, %v; want the %d of the body, EOF", c.name, len(got), err, len(c.stream))
		}
		if end := sink.ends[0]; end.Events != int64(len(c.want)) || end.Unfinished != c.unfinished || end.Bytes != int64(len(c.stream)) {
			t.Errorf("%s: End = %+v; want %d events, unfinished %t, %d bytes", c.name, end, len(c.want), c.unfinished, len(c.stream))
		}
		if len(sink.log) != len(c.want) {
			t.Errorf("%s: %d events; want %d", c.name, len(sink.log), len(c.want))
		}
	}
}

func TestTapStampsEvents(t *testing.T) {
	body, sink := newScript(step{data: "data: 1\n\nda"}, step{data: "ta: 2\n"}, step{data: "\ndata: 3\n\n"}), &recorder{}
	tap := NewTap(body, sink, Options{Now: body.now})
	readAll(tap)
	body.clock = body.clock.Add(time.Minute)
	tap.Close()
	want := []time.Time{start.Add(time.Second), start.Add(3 * time.Second), start.Add(3 * time.Second)}
	if diff := cmp.Diff(want, sink.at); diff != "" {
		t.Errorf("times differ (-want +got):\n%s", diff)
	}
	if end := sink.ends[0]; !end.LastAt.Equal(start.Add(3*time.Second)) || !end.At.Equal(start.Add(63*time.Second)) {
		t.Errorf("LastAt = %v, At = %v; want 3 s and 63 s after %v", end.LastAt, end.At, start)
	}
}

func TestTapEndings(t *testing.T) {
	reset := errors.New("connection reset")
	for _, c := range []struct {
		name  string
		steps []step
		reads int // how many the reader makes before it closes, 0 for all
		wait  time.Duration
		want  End // without times
	}{
		{"completed", []step{{"data: done\n\n", nil}}, 0, 0, End{By: EndedByCompleted, EOF: true, Bytes: 12, Events: 1}},
		{"completed, last bytes not followed by a read", []step{{"data: done\n\n", nil}}, 1, 0, End{By: EndedByCompleted, Bytes: 12, Events: 1}},
		{"completed, then more", []step{{"data: done\n\ndata: 2\n\n", nil}}, 0, 0, End{By: EndedByCompleted, EOF: true, Bytes: 21, Events: 2}},
		{"completed, then reset", []step{{"data: done\n\n", reset}}, 0, 0, End{By: EndedByCompleted, Err: reset, Bytes: 12, Events: 1}},
		{"completed, client leaves late", []step{{"data: done\n\n", nil}}, 1, time.Hour, End{By: EndedByCompleted, Bytes: 12, Events: 1}},
		{"empty", nil, 0, 0, End{By: EndedByUpstream, EOF: true}},
		{"clean but early", []step{{"data: 1\n\n", nil}}, 0, 0, End{By: EndedByUpstream, EOF: true, Bytes: 9, Events: 1}},
		{"clean within an event", []step{{"data: 1\n\ndata: do", nil}}, 0, 0, End{By: EndedByUpstream, EOF: true, Bytes: 17, Events: 1, Unfinished: true}},
		{"cut off", []step{{"data: 1\n\n", nil}, {"data: 2", io.ErrUnexpectedEOF}}, 0, 0, End{By: EndedByUpstream, Err: io.ErrUnexpectedEOF, Bytes: 16, Events: 1, Unfinished: true}},
		{"reset with the last bytes, not read on", []step{{"data: 1\n\n", reset}}, 1, 0, End{By: EndedByUpstream, Err: reset, Bytes: 9, Events: 1}},
		{"eof with the last bytes, not read on", []step{{"data: 1\n\n", io.EOF}}, 1, 0, End{By: EndedByUpstream, EOF: true, Bytes: 9, Events: 1}},
		{"client leaves", []step{{"data: 1\n\n", nil}, {"data: 2\n\n", nil}}, 1, 0, End{By: EndedByClient, Bytes: 9, Events: 1}},
		{"client leaves within an event", []step{{"data: 1", nil}, {"\n\n", nil}}, 1, 0, End{By: EndedByClient, Bytes: 7, Unfinished: true}},
		{"client waits in vain", []step{{"data: 1\n\n", nil}, {"data: 2\n\n", nil}}, 1, DefaultIdleAfter, End{By: EndedByIdle, Bytes: 9, Events: 1}},
		{"client nearly waits in vain", []step{{"data: 1\n\n", nil}, {"data: 2\n\n", nil}}, 1, DefaultIdleAfter - 1, End{By: EndedByClient, Bytes: 9, Events: 1}},
		{"comments are no events", []step{{"data: 1\n\n", nil}, {":\n\n", nil}, {":\n\n", nil}, {"", nil}}, 3, DefaultIdleAfter - 2*time.Second, End{By: EndedByIdle, Bytes: 15, Events: 1}},
		{"time-out", []step{{"data: 1\n\n", nil}, {"", timeoutError{true}}}, 0, 0, End{By: EndedByIdle, Err: timeoutError{true}, Bytes: 9, Events: 1}},
		{"truncated", []step{{"data: 123456789\n\ndata: 123456789\n\n", nil}}, 0, 0, End{By: EndedByUpstream, EOF: true, Bytes: 34, Events: 2, Truncated: 2}},
		{"error that passes", []step{{"data: 1\n\n", nil}, {"", reset}, {"data: 2\n\n", nil}, {"", nil}}, 3, 0, End{By: EndedByClient, Bytes: 18, Events: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, sink := newScript(c.steps...), &recorder{}
			tap := NewTap(body, sink, Options{Now: body.now, MaxEventBytes: 8})
			if c.reads == 0 {
				readAll(tap)
			}
			buf := make([]byte, 64)
			for range c.reads {
				tap.Read(buf)
			}
			body.clock = body.clock.Add(c.wait)
			tap.Close()
			if len(sink.ends) != 1 {
				t.Fatalf("%d ends; want 1", len(sink.ends))
			}
			if diff := cmp.Diff(c.want, sink.ends[0], cmpopts.IgnoreFields(End{}, "At", "LastAt"), cmpopts.EquateErrors()); diff != "" {
				t.Errorf("End differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTapReadErrorIsPassedOn(t *testing.T) {
	reset := errors.New("connection reset")
	for _, steps := range [][]step{{{"data: 1\n\n", reset}}, {{"data: 1\n\n", nil}, {"", reset}}} {
		got, err := readAll(NewTap(newScript(steps...), &recorder{}, Options{}))
		if got != "data: 1\n\n" || !same(err, reset) {
			t.Errorf("read %q, %v; want all of it, %v", got, err, reset)
		}
	}
}

func TestTapReadsOnAfterAnError(t *testing.T) {
	reset := errors.New("connection reset")
	tap := NewTap(newScript(step{"1", reset}, step{"22", nil}), &recorder{}, Options{})
	buf := make([]byte, 64)
	for i, want := range []struct {
		n   int
		err error
	}{{1, nil}, {0, reset}, {2, nil}, {0, io.EOF}} {
		if n, err := tap.Read(buf); n != want.n || !same(err, want.err) {
			t.Errorf("Read() %d = %d, %v; want %d, %v", i, n, err, want.n, want.err)
		}
	}
}

func TestTapReadOfNothing(t *testing.T) {
	tap := NewTap(newScript(step{}, step{data: "x"}), &recorder{}, Options{})
	for i, want := range []int{0, 1} {
		if n, err := tap.Read(make([]byte, 8)); n != want || err != nil {
			t.Errorf("Read() %d = %d, %v; want %d, nil", i, n, err, want)
		}
	}
}

func TestTapClosesOnce(t *testing.T) {
	body, sink := newScript(step{data: "data: 1\n\n"}, step{data: "data: 2\n\n"}), &recorder{}
	body.closeErr = errors.New("no")
	tap := NewTap(body, sink, Options{})
	for range 2 {
		if err := tap.Close(); !same(err, body.closeErr) {
			t.Errorf("Close() = %v; want %v", err, body.closeErr)
		}
	}
	if body.closes != 1 || len(sink.ends) != 1 {
		t.Errorf("body closed %d times, %d ends; want 1 and 1", body.closes, len(sink.ends))
	}
	// A read after that is the body's affair and nobody else's.
	if got, err := readAll(tap); len(got) != 18 || !same(err, io.EOF) {
		t.Errorf("read %q, %v after Close; want 18 bytes, EOF", got, err)
	}
	if len(sink.log) != 0 {
		t.Errorf("events after End: %q", sink.log)
	}
}
