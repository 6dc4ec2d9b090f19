package ssetap

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
