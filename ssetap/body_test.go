package ssetap

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// bodies is a Sink that remembers what a BodyTap gives it.
type bodies struct {
	events   []message
	at       time.Time
	ends     []End
	terminal bool
	broken   bool
}

func (b *bodies) Event(e *Event) bool {
	b.events = append(b.events, message{Data: string(e.Data), Tail: string(e.Tail), Size: e.Size, Truncated: e.Truncated})
	b.at = e.At
	if b.broken {
		panic("sink broke")
	}
	return b.terminal
}

func (b *bodies) End(end End) { b.ends = append(b.ends, end) }

func TestBodyTapEndings(t *testing.T) {
	reset := errors.New("connection reset")
	for _, c := range []struct {
		name   string
		steps  []step
		reads  int // how many the reader makes before it closes, 0 for all
		wait   time.Duration
		sink   bodies
		events []message
		want   End // without times
	}{
		{"empty", nil, 0, 0, bodies{}, nil, End{By: EndedByCompleted, EOF: true}},
		{"clean", []step{{`{"a":`, nil}, {`1}`, nil}}, 0, 0, bodies{}, []message{data(`{"a":1}`)}, End{By: EndedByCompleted, EOF: true, Bytes: 7, Events: 1}},
		{"clean, not read on", []step{{`{"a":1}`, io.EOF}}, 1, 0, bodies{}, []message{data(`{"a":1}`)}, End{By: EndedByCompleted, EOF: true, Bytes: 7, Events: 1}},
		{"cut off", []step{{`{"a":`, io.ErrUnexpectedEOF}}, 0, 0, bodies{}, []message{data(`{"a":`)}, End{By: EndedByUpstream, Err: io.ErrUnexpectedEOF, Bytes: 5, Events: 1, Unfinished: true}},
		{"reset before anything", []step{{"", reset}}, 0, 0, bodies{}, nil, End{By: EndedByUpstream, Err: reset}},
		{"client leaves", []step{{`{"a":`, nil}, {`1}`, nil}}, 1, 0, bodies{}, []message{data(`{"a":`)}, End{By: EndedByClient, Bytes: 5, Events: 1, Unfinished: true}},
		{"client waits in vain", []step{{`{"a":`, nil}, {`1}`, nil}}, 1, DefaultIdleAfter, bodies{}, []message{data(`{"a":`)}, End{By: EndedByIdle, Bytes: 5, Events: 1, Unfinished: true}},
		{"complete to the sink", []step{{`{"a":1}`, nil}}, 1, 0, bodies{terminal: true}, []message{data(`{"a":1}`)}, End{By: EndedByCompleted, Bytes: 7, Events: 1}},
		{"longer than kept", []step{{"12345678", nil}, {"9abcdef", nil}}, 0, 0, bodies{}, []message{{Data: "123456789a", Tail: "123456789abcdef", Size: 15, Truncated: true}}, End{By: EndedByCompleted, EOF: true, Bytes: 15, Events: 1, Truncated: 1}},
		{"broken sink", []step{{`{"a":1}`, nil}}, 0, 0, bodies{broken: true}, []message{data(`{"a":1}`)}, End{By: EndedByCompleted, EOF: true, Bytes: 7, Events: 1, Panics: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, sink := newScript(c.steps...), &c.sink
			tap := NewBodyTap(body, sink, Options{Now: body.now, MaxBodyBytes: 10})
			var want strings.Builder
			for _, s := range c.steps {
				want.WriteString(s.data)
			}
			if c.reads == 0 {
				if got, _ := readAll(tap); got != want.String() {
					t.Errorf("read %q; want %q", got, want.String())
				}
			}
			buf := make([]byte, 64)
			for range c.reads {
				tap.Read(buf)
			}
			if len(sink.events) != 0 {
				t.Errorf("event before Close")
			}
			last := body.clock
			body.clock = body.clock.Add(c.wait)
			tap.Close()
			tap.Close()
			if diff := cmp.Diff(c.events, sink.events); diff != "" {
				t.Errorf("events differ (-want +got):\n%s", diff)
			}
			if len(sink.ends) != 1 {
				t.Fatalf("%d ends; want 1", len(sink.ends))
			}
			if diff := cmp.Diff(c.want, sink.ends[0], cmpopts.IgnoreFields(End{}, "At", "LastAt"), cmpopts.EquateErrors()); diff != "" {
				t.Errorf("End differs (-want +got):\n%s", diff)
			}
			if len(sink.events) > 0 && !sink.at.Equal(last) {
				t.Errorf("event at %v; want %v, when the last bytes came", sink.at, last)
			}
		})
	}
}

func TestBodyTapKeepsBothEnds(t *testing.T) {
	whole := strings.Repeat("0123456789", 300<<10/10)
	sink := &bodies{}
	tap := NewBodyTap(io.NopCloser(strings.NewReader(whole)), sink, Options{MaxBodyBytes: 1000})
	if got, err := readAll(tap); got != whole || !same(err, io.EOF) {
		t.Fatalf("read %d bytes, %v; want %d, EOF", len(got), err, len(whole))
	}
	tap.Close()
	want := message{Data: whole[:1000], Tail: whole[len(whole)-TailBytes:], Size: int64(len(whole)), Truncated: true}
	if len(sink.events) != 1 || sink.events[0] != want {
		t.Errorf("the event is not the first 1000 and the last %d bytes", TailBytes)
	}
}

func TestBodyTapCollectsAfterPassingOn(t *testing.T) {
	sink := &bodies{}
	tap := NewBodyTap(newScript(step{data: "12"}, step{data: "34"}), sink, Options{})
	buf := make([]byte, 64)
	for i, want := range []int64{0, 2} {
		tap.Read(buf)
		if tap.body.size != want {
			t.Errorf("%d bytes collected after Read %d; want %d", tap.body.size, i, want)
		}
	}
	tap.Close()
	if diff := cmp.Diff([]message{data("1234")}, sink.events); diff != "" {
		t.Errorf("events differ (-want +got):\n%s", diff)
	}
}
