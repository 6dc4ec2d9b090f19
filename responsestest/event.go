package responsestest

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Event is one server-sent event, or a pause between two. The builders of this
// package make those of the Responses API; a literal makes any other, and [Raw]
// what is not an event at all.
type Event struct {
	// Name is the event field. Empty writes no event line, and a client then
	// takes the event for one named "message".
	Name string
	// Data is the data field, usually JSON. A line end in it starts another data
	// line. Empty writes no data line, and a client then drops the event.
	Data string
	// Raw replaces Name and Data: it is written as it is, without the empty line
	// that ends an event.
	Raw string
	// Delay is waited before the event is written.
	Delay time.Duration
	// Hold, when not nil, is received from (usually: waited to be closed) before
	// the event is written.
	Hold <-chan struct{}

	gate *Gate
}

// Raw returns an event that is written exactly as given: malformed lines, half
// events, several at once, other line ends.
func Raw(text string) Event { return Event{Raw: text} }

// Comment returns an SSE comment, as servers send to keep a connection alive.
// A client does not see it as an event.
func Comment(text string) Event {
	return Raw(": " + strings.ReplaceAll(text, "\n", "\n: ") + "\n\n")
}

// Done returns the end marker "[DONE]" of the older completion APIs, which some
// gateways append to a Responses stream too.
func Done() Event { return Event{Data: "[DONE]"} }

// Wait returns a pause that writes nothing: the stream stops there until ch
// yields a value or is closed.
func Wait(ch <-chan struct{}) Event { return Event{Hold: ch} }

// Pause returns a pause that writes nothing and lasts d.
func Pause(d time.Duration) Event { return Event{Delay: d} }

// AppendTo appends the event to dst as it goes over the wire and returns the
// extended slice. Pauses append nothing.
func (e Event) AppendTo(dst []byte) []byte {
	switch {
	case e.Raw != "":
		return append(dst, e.Raw...)
	case e.Name == "" && e.Data == "":
		return dst
	}
	if e.Name != "" {
		dst = append(dst, "event: "...)
		dst = append(dst, e.Name...)
		dst = append(dst, '\n')
	}
	if e.Data != "" {
		for line := range strings.SplitSeq(lineEnds.Replace(e.Data), "\n") {
			dst = append(dst, "data: "...)
			dst = append(dst, line...)
			dst = append(dst, '\n')
		}
	}
	return append(dst, '\n')
}

// lineEnds turns the three line ends of SSE into one.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// SSE returns the events as the body of a text/event-stream response. Delays
// and holds have no place in a body and are left out.
func SSE(events ...Event) []byte {
	var body []byte
	for _, e := range events {
		body = e.AppendTo(body)
	}
	return body
}

// Numbered returns the events with the sequence_number and output_index that
// the API writes into each. Codex reads neither, other clients rely on them.
// Only events made by this package's builders are numbered. Items are taken to
// come one after the other: each output_item.done moves the index on.
func Numbered(events ...Event) []Event {
	numbered := make([]Event, len(events))
	var sequence, output int
	for i, e := range events {
		numbered[i] = e
		head := `{"type":"` + e.Name + `"`
		if e.Name == "" || !strings.HasPrefix(e.Data, head) {
			continue
		}
		fields := `,"sequence_number":` + strconv.Itoa(sequence)
		sequence++
		if !lifecycle(e.Name) {
			fields += `,"output_index":` + strconv.Itoa(output)
		}
		if e.Name == typeItemDone {
			output++
		}
		numbered[i].Data = head + fields + e.Data[len(head):]
	}
	return numbered
}

// build returns the event of the given type with fields, each of them
// `,"name":value`, in this order.
func build(typ string, fields ...string) Event {
	return Event{Name: typ, Data: `{"type":"` + typ + `"` + strings.Join(fields, "") + "}"}
}

// field returns `,"name":value`.
func field(name string, value any) string { return `,"` + name + `":` + encode(value) }

// encode returns v as JSON as the API writes it, with <, > and & as they are.
// The values of the builders are strings, numbers and structs of them, which
// always encode.
func encode(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "null"
	}
	return strings.TrimSuffix(b.String(), "\n")
}
