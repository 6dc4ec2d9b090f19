package ssetap_test

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/codex-proxy/codex-proxy/ssetap"
)

// The chunks of a stream are cut anywhere; the events come out whole.
func ExampleDecoder() {
	var d ssetap.Decoder
	for _, chunk := range []string{"event: greet", "ing\ndata: hel", "lo\r\n\r", "\ndata: cut o"} {
		d.Write([]byte(chunk), func(e *ssetap.Event) {
			fmt.Printf("%s: %s\n", e.Name, e.Data)
		})
	}
	fmt.Println("unfinished:", d.Finish())
	// Output:
	// greeting: hello
	// unfinished: true
}

// printer is a Sink that writes what it gets.
type printer struct{ out io.Writer }

func (p printer) Event(e *ssetap.Event) (terminal bool) {
	fmt.Fprintf(p.out, "saw %s\n", e.Data)
	return string(e.Data) == "bye"
}

func (p printer) End(end ssetap.End) {
	fmt.Fprintf(p.out, "%v after %d events\n", end.By, end.Events)
}

// The body is copied as before, and seen by the Sink on its way.
func ExampleTap() {
	body := io.NopCloser(strings.NewReader("data: hello\n\ndata: bye\n\n"))
	tap := ssetap.NewTap(body, printer{os.Stdout}, ssetap.Options{})
	defer tap.Close()
	_, _ = io.Copy(os.Stdout, tap)
	// Output:
	// data: hello
	//
	// data: bye
	//
	// saw hello
	// saw bye
	// completed after 2 events
}

// A body that is not a stream arrives in one piece.
func ExampleBodyTap() {
	body := io.NopCloser(strings.NewReader("all of it"))
	tap := ssetap.NewBodyTap(body, printer{os.Stdout}, ssetap.Options{})
	_, _ = io.Copy(io.Discard, tap)
	_ = tap.Close()
	// Output:
	// saw all of it
	// completed after 1 events
}
