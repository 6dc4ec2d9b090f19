package main

import (
	"context"
	"flag"
	"io"
	"net"
)

// tcpSpliceCommand relays TCP connections without looking at the bytes. On
// Linux io.Copy between two TCP sockets is splice(2), so this is the floor for
// what a proxy in user space costs.
func tcpSpliceCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("tcpsplice", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:9102", "address to listen on")
	to := flags.String("to", "127.0.0.1:9100", "upstream host:port")
	if err := flags.Parse(args); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { listener.Close() })
	for {
		client, err := listener.Accept()
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err != nil {
			return nil //nolint:nilerr // The end of ctx is why.
		}
		go splice(client, *to)
	}
}

func splice(client net.Conn, to string) {
	defer client.Close()
	conn, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer conn.Close()
	go func() {
		_, _ = io.Copy(conn, client)
		if server, ok := conn.(*net.TCPConn); ok {
			_ = server.CloseWrite()
		}
	}()
	_, _ = io.Copy(client, conn)
}
