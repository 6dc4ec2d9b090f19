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
			d.Write([]byte{b}, func(*Event) { events++ })
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
	d, events := &Decoder{}, 0
	d.Write([]byte("event: a\nid: 7\ndata: 1\n\ndata: 2\n\n"), func(e *Event) {
		events++
		for _, s := range [][]byte{e.Name, e.Data, e.ID} {
			_ = append(s, "overwritten"...)
		}
	})
	if events != 2 {
		t.Errorf("%d events; want 2: appending to the first destroyed the second", events)
	}
}

func TestDecoderAllocatesNothing(t *testing.T) {
	stream := deltas(200)
	for _, size := range []int{1, 7, 1400, 32 << 10} {
		d, events := &Decoder{}, 0
		chunks := cut(stream, size)
		yield := func(*Event) { events++ }
		feed := func() {
			for _, chunk := range chunks {
				d.Write(chunk, yield)
			}
		}
		if allocs := testing.AllocsPerRun(10, feed); allocs != 0 {
			t.Errorf("chunks of %d: %v allocations for 200 events; want 0", size, allocs)
		}
		if events == 0 {
			t.Errorf("chunks of %d: no events", size)
		}
	}
}

func TestDecoderWorkIsLinear(t *testing.T) {
	// Each byte is searched for LF and for CR, copied once, and moved about once when the buffer grows or, past the
	// limit, once when the tail slides.
	const most = 6
	for _, limit := range []int{0, 1 << 10} {
		for _, size := range []int{1, 1400, 32 << 10} {
			for _, length := range []int{128 << 10, 2 << 20} {
				for _, eol := range []string{"\n", "\r", "\r\n"} {
					d := &Decoder{MaxEventBytes: limit}
					stream := "data: " + strings.Repeat("x", length) + eol + eol
					events := 0
					for chunk := range slices.Chunk([]byte(stream), size) {
						d.Write(chunk, func(*Event) { events++ })
					}
					if events != 1 {
						t.Fatalf("limit %d, chunks of %d: %d events; want 1", limit, size, events)
					}
					if work := d.scanned + d.pending.data.work; work > int64(most*len(stream)) {
						t.Errorf("limit %d, event of %d bytes in chunks of %d: work %d, %d a byte; want at most %d",
							limit, length, size, work, work/int64(len(stream)), most)
					}
				}
			}
		}
	}
}

func TestDecoderWorkOnShortLinesIsLinear(t *testing.T) {
	for _, line := range []string{"\n", "\r", "\r\n", "x\n", "data: 1\r", "data:\n", ":\r\n"} {
		d := &Decoder{}
		stream := strings.Repeat(line, 256<<10/len(line))
		decode(d, []byte(stream))
		if work := d.scanned + d.pending.data.work; work > int64(6*len(stream)) {
			t.Errorf("%q over and over: work %d for %d bytes; want at most 6 a byte", line, work, len(stream))
		}
	}
}

func TestDecoderGivesMemoryBack(t *testing.T) {
	for _, limit := range []int{0, 1 << 10} {
		d := &Decoder{MaxEventBytes: limit}
		held := 0
		yield := func(*Event) {}
		for _, chunk := range cut("data: "+strings.Repeat("x", 2<<20)+"\n\n", 1400) {
			held = max(held, cap(d.pending.data.head)+cap(d.pending.data.tail))
			d.Write(chunk, yield)
		}
		if held <= keepBytes {
			t.Errorf("limit %d: held at most %d bytes; the test needs a larger event", limit, held)
		}
		if n := cap(d.pending.data.head) + cap(d.pending.data.tail) + cap(d.event.Data) + cap(d.event.Tail); n > keepBytes {
			t.Errorf("limit %d: %d bytes held after a giant event; want at most %d", limit, n, keepBytes)
		}
	}
}
