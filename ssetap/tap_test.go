package ssetap

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// step is what one Read of a script returns.
type step struct {
	data string
	err  error
}

// script is a body that answers as told, then io.EOF. Each answer comes a second after the one before.
type script struct {
	steps    []step
	clock    time.Time
	closes   int
	closeErr error
}

var start = time.Unix(1_700_000_000, 0)

func newScript(steps ...step) *script {
	return &script{steps: steps, clock: start}
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.steps) == 0 {
		return 0, io.EOF
	}
	s.clock = s.clock.Add(time.Second)
	next := s.steps[0]
	s.steps = s.steps[1:]
	return copy(p, next.data), next.err
}

func (s *script) Close() error {
	s.closes++
	return s.closeErr
}

func (s *script) now() time.Time { return s.clock }

// recorder is a Sink that remembers. The event "done" is the last one; on panicOn it panics.
type recorder struct {
	log     []string // events as "name:data"
	at      []time.Time
	ends    []End
	panicOn string
}

func (r *recorder) Event(e *Event) bool {
	r.log = append(r.log, string(e.Name)+":"+string(e.Data))
	r.at = append(r.at, e.At)
	if r.panicOn != "" && string(e.Data) == r.panicOn {
		panic("sink broke on " + r.panicOn)
	}
	return string(e.Data) == "done"
}

func (r *recorder) End(end End) {
	r.ends = append(r.ends, end)
	if r.panicOn == "end" {
		panic("sink broke at the end")
	}
}

// same reports whether two errors are one and the same. Copy loops compare io.EOF like that: a tap must not wrap it.
func same(a, b error) bool { return any(a) == any(b) }

// readAll reads to the first error with one buffer that is overwritten right before each Read, as a copy loop does.
func readAll(r io.Reader) (string, error) {
	var got strings.Builder
	buf := make([]byte, 256)
	for {
		n, err := r.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			return got.String(), err
		}
	}
}

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

func TestTapReadOfNothing(t *testing.T) {
	tap := NewTap(newScript(step{}, step{data: "x"}), &recorder{}, Options{})
	for i, want := range []int{0, 1} {
		if n, err := tap.Read(make([]byte, 8)); n != want || err != nil {
			t.Errorf("Read() %d = %d, %v; want %d, nil", i, n, err, want)
		}
	}
}

func TestTapClosesOnce(t *testing.T) {
	body, sink := newScript(step{data: "data: 1\n\n"}), &recorder{}
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
	if n, err := tap.Read(make([]byte, 64)); n != 9 || err != nil {
		t.Errorf("Read() after Close = %d, %v; want 9, nil", n, err)
	}
	if len(sink.log) != 0 {
		t.Errorf("events after End: %q", sink.log)
	}
}

func TestTapContainsPanics(t *testing.T) {
	stream := "data: 1\n\ndata: 2\n\ndata: 3\n\n"
	for _, c := range []struct {
		panicOn string
		log     []string
		panics  int64
		told    int
	}{
		{"2", []string{":1", ":2"}, 1, 1},
		{"end", []string{":1", ":2", ":3"}, 0, 1},
	} {
		var told []any
		sink := &recorder{panicOn: c.panicOn}
		tap := NewTap(newScript(step{data: stream[:20]}, step{data: stream[20:]}), sink, Options{OnPanic: func(v any) {
			told = append(told, v)
			panic("reporter broke, too")
		}})
		if got, err := readAll(tap); got != stream || !same(err, io.EOF) {
			t.Errorf("panic on %s: read %q, %v; want all of it", c.panicOn, got, err)
		}
		if err := tap.Close(); err != nil {
			t.Errorf("panic on %s: Close() = %v", c.panicOn, err)
		}
		if diff := cmp.Diff(c.log, sink.log); diff != "" {
			t.Errorf("panic on %s: events differ (-want +got):\n%s", c.panicOn, diff)
		}
		if len(sink.ends) != 1 || sink.ends[0].Panics != c.panics || sink.ends[0].Events != 3 {
			t.Errorf("panic on %s: ends %+v; want one with %d panics and 3 events", c.panicOn, sink.ends, c.panics)
		}
		if len(told) != c.told || !strings.Contains(fmt.Sprint(told...), "sink broke") {
			t.Errorf("panic on %s: OnPanic was told %q; want %d panics of the sink", c.panicOn, told, c.told)
		}
	}
}

// panicky is a body whose Close panics.
type panicky struct{ *script }

func (panicky) Close() error { panic("body broke") }

func TestTapEndsWhenBodyPanics(t *testing.T) {
	sink := &recorder{}
	tap := NewTap(panicky{newScript()}, sink, Options{})
	func() {
		defer func() {
			if v := recover(); v != "body broke" {
				t.Errorf("recovered %v; want the body's own panic", v)
			}
		}()
		tap.Close()
	}()
	if len(sink.ends) != 1 {
		t.Errorf("%d ends; want 1", len(sink.ends))
	}
}
