package wstap

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// streamCase is a stream of one direction and what must come of it, however it is cut.
type streamCase struct {
	name       string
	from       Direction
	deflate    bool
	stream     []byte
	want       []seen
	unfinished bool
}

func streamCases() []streamCase {
	long, longer := strings.Repeat("0123456789abcde", 20), strings.Repeat("x=", 50_000)
	ping, pong := fr{op: opPing, payload: "are you there"}, fr{op: opPong, payload: "are you there"}
	return []streamCase{
		// RFC 6455 §5.7.
		{name: "unmasked text", from: FromServer, stream: []byte("\x81\x05\x48\x65\x6c\x6c\x6f"), want: []seen{whole("Hello")}},
		{name: "masked text", stream: []byte("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), want: []seen{whole("Hello")}},
		{name: "fragments", from: FromServer, stream: []byte("\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f"), want: []seen{whole("Hello")}},
		{name: "unmasked ping", from: FromServer, stream: []byte("\x89\x05\x48\x65\x6c\x6c\x6f")},
		{name: "masked pong", stream: []byte("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")},
		{
			name: "256 bytes, binary", from: FromServer, stream: []byte("\x82\x7e\x01\x00" + strings.Repeat("b", 256)),
			want: []seen{{Kind: "binary", Data: strings.Repeat("b", 256), Size: 256, WireSize: 256}},
		},
		{
			name: "64 KiB, binary", from: FromServer, stream: []byte("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00" + strings.Repeat("b", 1<<16)),
			want: []seen{{Kind: "binary", Data: strings.Repeat("b", 1<<16), Size: 1 << 16, WireSize: 1 << 16}},
		},

		{name: "nothing", from: FromServer},
		{name: "empty messages", from: FromServer, stream: frames(text(""), text("1"), text("")), want: []seen{whole(""), whole("1"), whole("")}},
		{name: "empty masked messages", stream: frames(masked(text("")), masked(text("1")), masked(text(""))), want: []seen{whole(""), whole("1"), whole("")}},
		{name: "several lengths", from: FromServer, stream: frames(text(long), text("1"), text(longer), text(long)), want: []seen{whole(long), whole("1"), whole(longer), whole(long)}},
		{name: "several lengths, masked", stream: frames(masked(text(long)), masked(text("1")), masked(text(longer))), want: []seen{whole(long), whole("1"), whole(longer)}},
		{name: "mask of zero", stream: frames(fr{op: opText, key: "\x00\x00\x00\x00", payload: long}), want: []seen{whole(long)}},
		{name: "length longer than need be", from: FromServer, stream: frames(fr{op: opText, payload: "1", long: 2}, fr{op: opText, payload: "2", long: 8}), want: []seen{whole("1"), whole("2")}},
		{
			name: "control frames in between", from: FromServer,
			stream: frames(fr{op: opText, more: true, payload: "a"}, ping, fr{more: true, payload: "b"}, pong, fr{payload: "c"}, ping),
			want:   []seen{whole("abc")},
		},
		{
			name:   "masked fragments, each with its own mask",
			stream: frames(fr{op: opText, more: true, key: "1234", payload: long}, masked(ping), fr{more: true, key: "zyxw", payload: "b"}, fr{key: "\x00\x01\x02\x03", payload: longer}),
			want:   []seen{whole(long + "b" + longer)},
		},
		{
			name: "empty fragments", from: FromServer,
			stream: frames(fr{op: opText, more: true}, fr{more: true}, fr{payload: "all"}, fr{op: opText, more: true, payload: "all"}, fr{more: true}, fr{}),
			want:   []seen{whole("all"), whole("all")},
		},
		{name: "close", from: FromServer, stream: frames(text("1"), closing(1000, "bye"), text("2")), want: []seen{whole("1"), closed(1000, "bye")}},
		{name: "masked close", stream: frames(masked(closing(1001, strings.Repeat("r", 123)))), want: []seen{closed(1001, strings.Repeat("r", 123))}},
		{name: "close without a code", from: FromServer, stream: frames(fr{op: opClose}), want: []seen{closed(CodeNone, "")}},
		{name: "close with half a code", from: FromServer, stream: frames(fr{op: opClose, payload: "\x03"}), want: []seen{closed(CodeNone, "")}},
		{name: "close within a message", from: FromServer, stream: frames(fr{op: opText, more: true, payload: "1"}, closing(1011, "")), want: []seen{closed(1011, "")}},
		{name: "violation after close", from: FromServer, stream: frames(closing(1000, ""), fr{op: 7}), want: []seen{closed(1000, "")}},

		{name: "within a header", from: FromServer, stream: []byte("\x81"), unfinished: true},
		{name: "within a length", from: FromServer, stream: []byte("\x81\x7e\x01"), unfinished: true},
		{name: "within a mask", stream: []byte("\x81\x85\x37\xfa\x21"), unfinished: true},
		{name: "before a payload", from: FromServer, stream: []byte("\x81\x05"), unfinished: true},
		{name: "within a payload", from: FromServer, stream: []byte("\x81\x01a\x81\x03ab"), want: []seen{whole("a")}, unfinished: true},
		{name: "between fragments", from: FromServer, stream: frames(fr{op: opText, more: true, payload: "1"}), unfinished: true},
		{name: "within a ping", from: FromServer, stream: []byte("\x89\x05ab"), unfinished: true},

		{name: "reserved bit 1", from: FromServer, stream: frames(text("1"), packed("2"), text("3")), want: []seen{whole("1"), lost(LostReservedBits)}},
		{name: "reserved bit 2", from: FromServer, deflate: true, stream: frames(fr{op: opText, rsv: 0x20}), want: []seen{lost(LostReservedBits)}},
		{name: "reserved bit 3", from: FromServer, deflate: true, stream: frames(fr{op: opBinary, rsv: 0x50}), want: []seen{lost(LostReservedBits)}},
		{name: "compressed continuation", from: FromServer, deflate: true, stream: frames(fr{op: opText, more: true, rsv: rsvCompressed}, fr{rsv: rsvCompressed}), want: []seen{lost(LostReservedBits)}},
		{name: "compressed ping", from: FromServer, deflate: true, stream: frames(fr{op: opPing, rsv: rsvCompressed}), want: []seen{lost(LostReservedBits)}},
		{name: "opcode 3", from: FromServer, stream: frames(fr{op: 3}), want: []seen{lost(LostOpcode)}},
		{name: "opcode 7", from: FromServer, stream: frames(fr{op: 7}), want: []seen{lost(LostOpcode)}},
		{name: "opcode 11", from: FromServer, stream: frames(fr{op: 11}), want: []seen{lost(LostOpcode)}},
		{name: "opcode 15", from: FromServer, stream: frames(fr{op: 15}), want: []seen{lost(LostOpcode)}},
		{name: "server masks", from: FromServer, stream: frames(masked(text("1"))), want: []seen{lost(LostMask)}},
		{name: "client does not mask", stream: frames(text("1")), want: []seen{lost(LostMask)}},
		{name: "length with the highest bit", from: FromServer, stream: []byte("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x01x"), want: []seen{lost(LostLength)}},
		{name: "continuation of nothing", from: FromServer, stream: frames(fr{payload: "1"}), want: []seen{lost(LostContinuation)}},
		{name: "continuation after the last", from: FromServer, stream: frames(fr{op: opText, more: true}, fr{}, fr{}), want: []seen{whole(""), lost(LostContinuation)}},
		{name: "message within a message", from: FromServer, stream: frames(fr{op: opText, more: true, payload: "1"}, text("2")), want: []seen{lost(LostInterrupted)}},
		{name: "fragmented ping", from: FromServer, stream: frames(fr{op: opPing, more: true}), want: []seen{lost(LostControlFragmented)}},
		{name: "fragmented close", from: FromServer, stream: frames(fr{op: opClose, more: true}), want: []seen{lost(LostControlFragmented)}},
		{name: "long ping", from: FromServer, stream: frames(fr{op: opPing, payload: strings.Repeat("p", 126)}), want: []seen{lost(LostControlTooLong)}},
		{name: "ping as long as may be", from: FromServer, stream: frames(fr{op: opPing, payload: strings.Repeat("p", 125)}, text("1")), want: []seen{whole("1")}},
		{name: "no WebSocket at all", from: FromServer, stream: []byte("HTTP/1.1 200 OK\r\n\r\n"), want: []seen{lost(LostReservedBits)}},
	}
}

func TestReader(t *testing.T) {
	for _, c := range streamCases() {
		t.Run(c.name, func(t *testing.T) {
			opts := Options{Deflate: Deflate{Enabled: c.deflate}}
			before := bytes.Clone(c.stream)
			for _, size := range []int{len(c.stream), 1, 2, 3, 5, 7, 11, 64, 1400} {
				if size == 0 {
					continue
				}
				got, stats := read(c.from, opts, cut(c.stream, size)...)
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("chunks of %d: calls differ (-want +got):\n%s", size, diff)
				}
				if stats.Unfinished != c.unfinished || stats.Bytes != int64(len(c.stream)) {
					t.Errorf("chunks of %d: unfinished %t, %d bytes; want %t, %d", size, stats.Unfinished, stats.Bytes, c.unfinished, len(c.stream))
				}
			}
			if !bytes.Equal(c.stream, before) {
				t.Error("the chunks were written to")
			}
		})
	}
}

// TestReaderSplitAnywhere cuts at every place once, so that both sides of the cut are large.
func TestReaderSplitAnywhere(t *testing.T) {
	for _, c := range streamCases() {
		if len(c.stream) > 4<<10 {
			continue
		}
		for at := range c.stream {
			got, _ := read(c.from, Options{Deflate: Deflate{Enabled: c.deflate}}, c.stream[:at], c.stream[at:])
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s, cut at %d: calls differ (-want +got):\n%s", c.name, at, diff)
			}
		}
	}
}

func TestReaderStats(t *testing.T) {
	d := newDeflater(t, 9, true)
	stream := frames(
		text("1"), packed(d.message("two")), text("longer than it may be"), packed(d.message("longer than it may be")), packed("\xff\xff"),
		fr{op: opPing}, fr{op: opPing}, fr{op: opPong}, closing(1000, "bye"), text("ignored"),
	)
	_, got := read(FromServer, Options{Deflate: Deflate{Enabled: true}, MaxMessageBytes: 20}, stream)
	want := Stats{
		Bytes: int64(len(stream)), Messages: 5, Compressed: 3, Truncated: 1, Undecoded: 2, Pings: 2, Pongs: 1,
		Close: CloseFrame{Code: 1000, Reason: "bye"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Stats() differ (-want +got):\n%s", diff)
	}
}

func TestReaderWithoutSink(t *testing.T) {
	for _, c := range streamCases() {
		r := NewReader(c.from, nil, Options{})
		r.Write(c.stream)
		if got := r.Stats().Bytes; got != int64(len(c.stream)) {
			t.Errorf("%s: %d bytes; want %d", c.name, got, len(c.stream))
		}
	}
}

func TestReaderBorrows(t *testing.T) {
	chunk := frames(text("0123456789"), text("abc"))
	var got [][]byte
	sink := &funcSink{message: func(m *Message) { got = append(got, m.Data) }}
	NewReader(FromServer, sink, Options{}).Write(chunk)
	if &got[0][0] != &chunk[2] {
		t.Error("a message within the chunk was copied")
	}
	if cap(got[0]) != 10 {
		t.Errorf("cap(Data) = %d; want 10, lest an append writes to the chunk", cap(got[0]))
	}
}

// funcSink calls what is set.
type funcSink struct {
	message func(*Message)
}

func (s *funcSink) Message(m *Message)  { s.message(m) }
func (*funcSink) CloseFrame(CloseFrame) {}
func (*funcSink) Lost(Lost)             {}

// TestReaderPanics shows what a Reader alone does: the message is over for it.
func TestReaderPanics(t *testing.T) {
	sink := &recorder{panicOn: "1"}
	r := NewReader(FromServer, sink, Options{})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic of the Sink did not come through")
			}
		}()
		r.Write(frames(text("1")))
	}()
	r.Write(frames(text("2")))
	if diff := cmp.Diff([]seen{whole("1"), whole("2")}, sink.log); diff != "" {
		t.Errorf("calls differ (-want +got):\n%s", diff)
	}
}
