package ssetap

import (
	"fmt"
	"strings"
)

// message is an Event that outlives its delivery.
type message struct {
	Name, Data, Tail, ID string
	Size                 int64
	Truncated            bool
}

// framingCase is a stream and what the standard makes of it.
type framingCase struct {
	name       string
	stream     string
	want       []message
	unfinished bool
	retry      int64 // 0 for none
}

// data is a message of data alone.
func data(s string) message {
	return message{Data: s, Size: int64(len(s))}
}

func named(name, s string) message {
	m := data(s)
	m.Name = name
	return m
}

func withID(id, s string) message {
	m := data(s)
	m.ID = id
	return m
}

// framingCases is every framing case of the standard. They are fed cut in every way, and seed the fuzzers.
func framingCases() []framingCase {
	long := strings.Repeat("0123456789abcdef", 200<<10/16)
	return []framingCase{
		{name: "nothing", stream: ""},
		{name: "lf", stream: "event: a\ndata: 1\n\nevent: b\ndata: 2\n\n", want: []message{named("a", "1"), named("b", "2")}},
		{name: "crlf", stream: "event: a\r\ndata: 1\r\n\r\nevent: b\r\ndata: 2\r\n\r\n", want: []message{named("a", "1"), named("b", "2")}},
		{name: "lone cr", stream: "event: a\rdata: 1\r\revent: b\rdata: 2\r\r", want: []message{named("a", "1"), named("b", "2")}},
		{name: "mixed ends of line", stream: "event: a\rdata: 1\r\ndata: 2\n\rdata: 3\r\n\ndata: 4\n\r\n", want: []message{named("a", "1\n2"), data("3"), data("4")}},
		{name: "crlf then blank line by cr", stream: "data: 1\r\n\rdata: 2\r\n\r", want: []message{data("1"), data("2")}},
		{name: "cr lf is one end of line", stream: "data: 1\r\ndata: 2\r\r\ndata: 3\n\n", want: []message{data("1\n2"), data("3")}},
		{name: "lf cr is two", stream: "data: 1\n\rdata: 2\n\r", want: []message{data("1"), data("2")}},
		{name: "many lines", stream: "data: 1\ndata: 2\ndata:\ndata: 4\n\n", want: []message{data("1\n2\n\n4")}},
		{name: "first line empty", stream: "data:\ndata: 2\n\n", want: []message{data("\n2")}},
		{name: "two empty lines", stream: "data\ndata\n\n", want: []message{data("\n")}},
		{name: "mark", stream: "\xEF\xBB\xBFdata: 1\n\n", want: []message{data("1")}},
		{name: "mark alone", stream: "\xEF\xBB\xBF"},
		{name: "mark before a blank line", stream: "\xEF\xBB\xBF\ndata: 1\n\n", want: []message{data("1")}},
		{name: "second mark", stream: "\xEF\xBB\xBF\xEF\xBB\xBFdata: 1\ndata: 2\n\n", want: []message{data("2")}},
		{name: "mark later", stream: "data: 1\n\n\xEF\xBB\xBFdata: 2\n\ndata: 3\n\n", want: []message{data("1"), data("3")}},
		{name: "half a mark", stream: "\xEF\xBBdata: 1\ndata: 2\n\n", want: []message{data("2")}},
		{name: "half a mark is a line", stream: "\xEF\ndata: 2\n\n", want: []message{data("2")}},
		{name: "mark before a comment", stream: "\xEF\xBB\xBF: hi\ndata: 2\n\n", want: []message{data("2")}},
		{name: "one space", stream: "data:x\n\ndata: x\n\ndata:  x \n\ndata:\tx\n\n", want: []message{data("x"), data("x"), data(" x "), data("\tx")}},
		{name: "value of one space", stream: "data: \n\ndata:  \n\n", want: []message{data(""), data(" ")}},
		{name: "comments", stream: ": hi\n\n:\ndata: 1\n:data: no\ndata: 2\n: bye\n\n:\n\n", want: []message{data("1\n2")}},
		{name: "empty data", stream: "data:\n\ndata\n\n", want: []message{data(""), data("")}},
		{name: "event without data", stream: "event: a\n\ndata: 1\n\n", want: []message{data("1")}},
		{name: "empty event with data", stream: "event:\ndata:\n\n", want: []message{data("")}},
		{name: "last event wins", stream: "event: a\nevent: b:c\ndata: 1\n\nevent: a\nevent\ndata: 2\n\n", want: []message{named("b:c", "1"), data("2")}},
		{name: "event after data", stream: "data: 1\nevent: a\n\n", want: []message{named("a", "1")}},
		{name: "sticky id", stream: "id: 7\ndata: 1\n\ndata: 2\n\nid: 8\ndata: 3\n\n", want: []message{withID("7", "1"), withID("7", "2"), withID("8", "3")}},
		{name: "id with nul", stream: "id: 7\ndata: 1\n\nid: 8\x00\ndata: 2\n\n", want: []message{withID("7", "1"), withID("7", "2")}},
		{name: "bare id", stream: "id: 7\ndata: 1\n\nid\ndata: 2\n\nid: 9\ndata: 3\n\nid:\ndata: 4\n\n", want: []message{withID("7", "1"), data("2"), withID("9", "3"), data("4")}},
		{name: "id alone", stream: "id: 7\n\ndata: 1\n\n", want: []message{withID("7", "1")}},
		{name: "retry", stream: "retry: 1500\n\nretry:\n\nretry: +2\n\nretry: 3s\n\nretry\n\nretry: 4 \n\ndata: 1\n\n", want: []message{data("1")}, retry: 1500},
		{name: "retry too large", stream: "retry: 99999999999999999999\n\n", retry: 1<<63 - 1},
		{name: "retry past the bound", stream: "retry: 5\nretry: " + strings.Repeat("6", MaxFieldBytes+1) + "\n\n", retry: 5},
		{name: "retry cut off", stream: "retry: 5\nretry: 60", retry: 5},
		{name: "bad retry", stream: "retry: -1\nretry: 1.5\nretry: 0x10\ndata: 1\n\n", want: []message{data("1")}},
		{name: "unknown fields", stream: "foo: 1\n data: 1\nDATA: 1\ndataX: 1\nidx: 1\nevents: 1\nretrying: 1\ndat: 1\n\ndata : 1\ndata: 2\n\n", want: []message{data("2")}},
		{name: "unknown field without colon", stream: "dat\nevents\nfoobar\ndata: 2\n\n", want: []message{data("2")}},
		{name: "blank lines", stream: "\n\n\r\r\n\r\ndata: 1\n\n\n\n\ndata: 2\n\n\n", want: []message{data("1"), data("2")}},
		{name: "colons in the value", stream: "data: a:b: c\n\ndata::\n\n", want: []message{data("a:b: c"), data(":")}},
		{name: "cut off event", stream: "data: 1\n\nevent: a\ndata: 2\n", want: []message{data("1")}, unfinished: true},
		{name: "cut off line", stream: "data: 1\n\ndata: 2", want: []message{data("1")}, unfinished: true},
		{name: "cut off name", stream: "data: 1\n\nda", want: []message{data("1")}, unfinished: true},
		{name: "cut off event name", stream: "data: 1\n\neven", want: []message{data("1")}, unfinished: true},
		{name: "cut off event line", stream: "data: 1\n\nevent: a", want: []message{data("1")}, unfinished: true},
		{name: "cut off comment", stream: "data: 1\n\n: hello", want: []message{data("1")}},
		{name: "cut off id", stream: "data: 1\n\nid: 8", want: []message{data("1")}},
		{name: "no blank line at the end", stream: "data: 1\n", unfinished: true},
		{name: "ended by cr", stream: "data: 1\r\r", want: []message{data("1")}},
		{name: "ended by crlf", stream: "data: 1\r\n\r\n", want: []message{data("1")}},
		{name: "nul and invalid utf-8", stream: "event: \xff\ndata: \x00\xfe\n\n", want: []message{named("\xff", "\x00\xfe")}},
		{name: "long line", stream: "data: " + long + "\n\ndata: 2\r\n\r\n", want: []message{data(long), data("2")}},
		{name: "long comment", stream: ":" + long + "\ndata: 2\n\n", want: []message{data("2")}},
		{name: "long line without colon", stream: long + "\ndata: 2\n\n", want: []message{data("2")}},
		{
			name:   "fields past their bound",
			stream: "event: " + long[:MaxFieldBytes] + "\ndata: 1\n\nid: 7\nevent: a\nevent: " + long[:MaxFieldBytes+1] + "\ndata: 2\n\nid: " + long[:MaxFieldBytes+1] + "\ndata: 3\n\ndata: 4\n\n",
			want: []message{
				named(long[:MaxFieldBytes], "1"),
				{Name: "a", Data: "2", Tail: "2", ID: "7", Size: 1, Truncated: true},
				{Data: "3", Tail: "3", ID: "7", Size: 1, Truncated: true},
				withID("7", "4"),
			},
		},
	}
}

// deltas is a stream of n events as a model writes them, about 250 bytes each.
func deltas(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":%d,"+
			"\"item_id\":\"msg_68a1f0c2d4e88193b7a5c6d7e8f90a1b\",\"output_index\":0,\"content_index\":0,\"delta\":\" word\","+
			"\"logprobs\":[],\"obfuscation\":\"k3J9sQ\"}\n\n", i)
	}
	return b.String()
}
