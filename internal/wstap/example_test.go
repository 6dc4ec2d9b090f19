package wstap_test

import (
	"fmt"
	"io"
	"net"
	"os"

	"github.com/codex-proxy/codex-proxy/internal/wstap"
)

// printer is a Sink that writes what it gets.
type printer struct {
	out  io.Writer
	name string
}

func (p printer) Message(m *wstap.Message) {
	fmt.Fprintf(p.out, "%s: %s\n", p.name, m.Data)
}

func (p printer) CloseFrame(c wstap.CloseFrame) {
	fmt.Fprintf(p.out, "%s closes: %d %s\n", p.name, c.Code, c.Reason)
}

func (p printer) Lost(reason wstap.Lost) {
	fmt.Fprintf(p.out, "%s is not understood: %v\n", p.name, reason)
}

// The chunks of a direction are cut anywhere; the messages come out whole.
func ExampleReader() {
	r := wstap.NewReader(wstap.FromServer, printer{os.Stdout, "server"}, wstap.Options{})
	for _, chunk := range []string{"\x81", "\x05He", "llo\x01\x03Hel", "\x89\x00\x80\x02lo\x88\x05\x03\xe8", "bye"} {
		r.Write([]byte(chunk))
	}
	fmt.Println("pings:", r.Stats().Pings)
	// Output:
	// server: Hello
	// server: Hello
	// server closes: 1000 bye
	// pings: 1
}

// A tunnel is written to and read from as the connection it wraps.
func ExampleTunnel() {
	conn, server := net.Pipe()
	tunnel := wstap.NewTunnel(conn, wstap.Sinks{
		Client: printer{os.Stdout, "client"},
		Server: printer{os.Stdout, "server"},
		End:    func(end wstap.End) { fmt.Println("ended by", end.By, "after", end.Client.Messages+end.Server.Messages) },
	}, wstap.Options{})

	go func() {
		_, _ = server.Read(make([]byte, 64))
		_, _ = server.Write([]byte("\x81\x05Hello"))
	}()
	_, _ = tunnel.Write([]byte("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")) // masked
	buf := make([]byte, 64)
	n, _ := tunnel.Read(buf)
	fmt.Printf("passed on: %q\n", buf[:n])
	_ = tunnel.Close()
	// Output:
	// client: Hello
	// passed on: "\x81\x05Hello"
	// server: Hello
	// ended by closed after 2
}

// The response header says how messages may be compressed.
func ExampleParseExtensions() {
	deflate, err := wstap.ParseExtensions([]string{"permessage-deflate; server_no_context_takeover; client_max_window_bits=12"})
	fmt.Printf("%+v %v\n", deflate, err)
	_, err = wstap.ParseExtensions([]string{"permessage-deflate; client_max_window_bits"})
	fmt.Println(err)
	// Output:
	// {Enabled:true ClientNoContextTakeover:false ServerNoContextTakeover:true ClientMaxWindowBits:12 ServerMaxWindowBits:0} <nil>
	// parse Sec-WebSocket-Extensions: parameter "client_max_window_bits" with value ""
}
