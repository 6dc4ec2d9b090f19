package faultrelay

import (
	"errors"
	"io"
	"net"
)

// reset closes a connection so that its peer sees a reset.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // Without time to linger a close is a reset.
	}
	_ = conn.Close()
}

// closeWrite ends what is sent over a connection.
func closeWrite(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
		return
	}
	_ = conn.Close()
}

// drain reads what comes until the end.
func drain(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

func isEOF(err error) bool { return errors.Is(err, io.EOF) }
