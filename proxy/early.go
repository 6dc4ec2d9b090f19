package proxy

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
)

// earlyWriter is the ResponseWriter of a request that may become a tunnel. ReverseProxy reads the connection it takes over
// and not the buffer beside it, in which the server has what the client sent right behind its handshake.
type earlyWriter struct{ http.ResponseWriter }

// Unwrap is for http.ResponseController.
func (w earlyWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack implements http.Hijacker.
func (w earlyWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil || buffered.Reader.Buffered() == 0 {
		return conn, buffered, err
	}
	early, err := buffered.Peek(buffered.Reader.Buffered())
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return earlyConn{conn, io.MultiReader(bytes.NewReader(bytes.Clone(early)), conn)}, buffered, nil
}

// earlyConn is a connection with something read of it already.
type earlyConn struct {
	net.Conn
	r io.Reader
}

// Read implements io.Reader.
func (c earlyConn) Read(p []byte) (int, error) { return c.r.Read(p) }

// CloseWrite ends the direction to the client alone, where the connection can.
func (c earlyConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
