package ssetap

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outcome is everything a Decoder tells about a stream.
type outcome struct {
	Events     []message
	Unfinished bool
	Retry      int64
}

// decode feeds the chunks to d and ends the stream. Every chunk is overwritten as soon as it was fed, so that whatever
// is borrowed for too long comes out wrong.
func decode(d *Decoder, chunks ...[]byte) outcome {
	var out outcome
	for _, chunk := range chunks {
		chunk = bytes.Clone(chunk)
		d.Write(chunk, func(e *Event) {
			out.Events = append(out.Events, message{
				Name: string(e.Name), Data: string(e.Data), Tail: string(e.Tail), ID: string(e.ID),
				Size: e.Size, Truncated: e.Truncated,
			})
		})
		for i := range chunk {
			chunk[i] = '!'
		}
	}
	out.Unfinished = d.Finish()
	out.Retry, _ = d.Retry()
	return out
}

// cut returns s in chunks of size bytes.
func cut(s string, size int) [][]byte {
	return slices.Collect(slices.Chunk([]byte(s), size))
}

func TestDecoderFraming(t *testing.T) {
	for _, c := range framingCases() {
		t.Run(c.name, func(t *testing.T) {
			want := outcome{Events: c.want, Unfinished: c.unfinished, Retry: c.retry}
			check := func(how string, chunks ...[]byte) {
				t.Helper()
				if diff := cmp.Diff(want, decode(&Decoder{}, chunks...)); diff != "" {
					t.Fatalf("%s: outcome differs (-want +got):\n%s", how, diff)
				}
			}
			check("whole", []byte(c.stream))
			for _, size := range []int{1, 2, 7, 1400} {
				check(fmt.Sprintf("chunks of %d", size), cut(c.stream, size)...)
			}
			if len(c.stream) > 1<<10 {
				return
			}
			for i := range len(c.stream) {
				check(fmt.Sprintf("split at %d", i), []byte(c.stream[:i]), nil, []byte(c.stream[i:]))
			}
		})
	}
}

func TestDecoderTranscriptionAgreesWithFraming(t *testing.T) {
	for _, c := range framingCases() {
		if diff := cmp.Diff(c.want, interpret(c.stream)); diff != "" {
			t.Errorf("%s: interpret differs (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestDecoderDispatchesAtOnce(t *testing.T) {
	for _, stream := range []string{"data: 1\n\n", "data: 1\r\r", "data: 1\r\n\r", "data: 1\n\r"} {
		d, events := &Decoder{}, 0
		for i, b := range []byte(stream) {
			d.Write([]byte{b}, func(e *Event) {
				events++
				if !e.At.IsZero() {
					t.Errorf("%q: At = %v; want none, the decoder has no clock", stream, e.At)
				}
			})
			if want := i / (len(stream) - 1); events != want {
				t.Errorf("%q: %d events after byte %d; want %d", stream, events, i, want)
			}
		}
		d.Write([]byte("\n"), func(*Event) { events++ })
		if events != 1 {
			t.Errorf("%q: %d events after another LF; want 1", stream, events)
		}
	}
}

func TestDecoderIsReadyAfterFinish(t *testing.T) {
	d := &Decoder{}
	decode(d, []byte("\xEF\xBB\xBFretry: 5\nid: 7\ndata: 1\n\nevent: a\ndata: 2\r"))
	// Nothing is left of the event cut off; the mark counts again, the LF belongs to no CR.
	got := decode(d, []byte("\xEF\xBB\xBFdata: 3\n\n"))
	want := outcome{Events: []message{withID("7", "3")}, Retry: 5}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("second stream differs (-want +got):\n%s", diff)
	}
}

func TestDecoderRetryUnset(t *testing.T) {
	d := &Decoder{}
	decode(d, []byte("retry: x\n\n"))
	if ms, ok := d.Retry(); ok || ms != 0 {
		t.Errorf("Retry() = %d, %t; want 0, false", ms, ok)
	}
}

func TestDecoderTruncates(t *testing.T) {
	var body strings.Builder
	for i := 0; body.Len() < 300<<10; i++ {
		fmt.Fprintf(&body, "%d,", i)
	}
	whole := body.String()
	for _, limit := range []int{1, 100, 64 << 10, 100 << 10, len(whole) - 1, len(whole), len(whole) + 1} {
		for _, form := range []struct{ name, stream, data string }{
			{"one line", "data: " + whole + "\r\n\r\nevent: b\ndata: 2\n\n", whole},
			{"two lines", "data: " + whole[:5000] + "\ndata: " + whole[5000:] + "\n\nevent: b\ndata: 2\n\n", whole[:5000] + "\n" + whole[5000:]},
		} {
			first := message{Data: form.data, Size: int64(len(form.data))}
			if len(form.data) > limit {
				first.Data, first.Tail, first.Truncated = form.data[:limit], form.data[len(form.data)-TailBytes:], true
			}
			second := named("b", "2")
			for _, size := range []int{1, 7, 1400, 40 << 10, 100 << 10, len(form.stream)} {
				got := decode(&Decoder{MaxEventBytes: limit}, cut(form.stream, size)...)
				if !slices.Equal(got.Events, []message{first, second}) {
					t.Errorf("%s, limit %d, chunks of %d: events are not as expected", form.name, limit, size)
				}
			}
		}
	}
}

func TestDecoderTruncatesShortEvents(t *testing.T) {
	for _, size := range []int{1, 3, 100} {
		got := decode(&Decoder{MaxEventBytes: 4}, cut("data: 123456\n\ndata: 1234\n\n", size)...)
		want := []message{{Data: "1234", Tail: "123456", Size: 6, Truncated: true}, data("1234")}
		if diff := cmp.Diff(want, got.Events); diff != "" {
			t.Errorf("chunks of %d differ (-want +got):\n%s", size, diff)
		}
	}
}

func TestDecoderSurvivesPanic(t *testing.T) {
	d := &Decoder{}
	func() {
		defer func() { _ = recover() }()
		d.Write([]byte("event: a\ndata: 1\n\n"), func(*Event) { panic("no") })
	}()
	got := decode(d, []byte("data: 2\n\n"))
	if diff := cmp.Diff([]message{data("2")}, got.Events); diff != "" {
		t.Errorf("events after a panic differ (-want +got):\n%s", diff)
	}
}

func TestDecoderSlicesCannotGrow(t *testing.T) {
	d := &Decoder{}
	var grown [][]byte
	for _, chunk := range []string{"event: a\nid: 1\ndata: 2\n\nevent: b\nid: 3\ndata: 4\n\nevent: c\nid: 5\nda", "ta: 6\n\ndata: ", "7\n\n"} {
		d.Write([]byte(chunk), func(e *Event) {
			grown = append(grown, append(e.Name, '+'), append(e.ID, '+'), append(e.Data, "+++"...))
		})
	}
	want := "a+ 1+ 2+++ b+ 3+ 4+++ c+ 5+ 6+++ + 5+ 7+++"
	if got := string(bytes.Join(grown, []byte(" "))); got != want {
		t.Errorf("appended to what was delivered: %q; want %q", got, want)
	}
}
