package wstap

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"
)

// tapping is a reverse proxy to addr that wraps the connection of every upgrade.
func tapping(t *testing.T, addr string, wrap func(io.ReadWriteCloser, Options) io.ReadWriteCloser) http.Handler {
	t.Helper()
	target := &url.URL{Scheme: "http", Host: addr}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &httputil.ReverseProxy{
		Transport: transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(resp *http.Response) error {
			conn, ok := resp.Body.(io.ReadWriteCloser)
			if resp.StatusCode != http.StatusSwitchingProtocols || !ok {
				return nil
			}
			deflate, err := ParseExtensions(resp.Header.Values("Sec-Websocket-Extensions"))
			if err != nil {
				return fmt.Errorf("parse extensions: %w", err)
			}
			resp.Body = wrap(conn, Options{Deflate: deflate})
			return nil
		},
	}
}

// upgrading is a server that agrees to every upgrade and then does as told with the connection.
func upgrading(t *testing.T, do func(conn *net.TCPConn, r *bufio.Reader)) (addr string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("Hijack() = %v", err)
			return
		}
		defer conn.Close()
		// The first frame comes in one piece with the header, so that it waits in a buffer of the transport.
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"+str(text("welcome")))
		do(conn.(*net.TCPConn), rw.Reader)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// upgrade asks a proxy for a WebSocket and returns the connection after the handshake.
func upgrade(t *testing.T, url string) (*net.TCPConn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("ReadResponse() = %+v, %v; want 101", resp, err)
	}
	return conn.(*net.TCPConn), r
}

// TestTunnelInReverseProxyEndings has every ending over real sockets, in the hands of the standard library's proxy.
func TestTunnelInReverseProxyEndings(t *testing.T) {
	welcome := frames(text("welcome"))
	hello, bye := frames(masked(text("hello"))), frames(masked(closing(1000, "")))
	expect := func(r io.Reader, want []byte) {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("read %q, %v; want %q", got, err, want)
		}
	}
	for _, c := range []struct {
		name   string
		server func(*net.TCPConn, *bufio.Reader)
		client func(*net.TCPConn, *bufio.Reader)
		want   EndedBy
		eof    bool
	}{
		{
			name: "client closes",
			server: func(conn *net.TCPConn, r *bufio.Reader) {
				expect(r, append(bytes.Clone(hello), bye...))
				conn.Write(frames(closing(1000, "")))
			},
			client: func(conn *net.TCPConn, r *bufio.Reader) {
				conn.Write(append(bytes.Clone(hello), bye...))
				expect(r, frames(closing(1000, "")))
			},
			want: EndedByClient,
		},
		{
			name: "server closes",
			server: func(conn *net.TCPConn, r *bufio.Reader) {
				conn.Write(frames(closing(1001, "")))
				expect(r, bye)
			},
			client: func(conn *net.TCPConn, r *bufio.Reader) {
				expect(r, frames(closing(1001, "")))
				conn.Write(bye)
				io.Copy(io.Discard, r)
			},
			want: EndedByServer,
		},
		{
			name: "client hangs up",
			server: func(_ *net.TCPConn, r *bufio.Reader) {
				io.Copy(io.Discard, r)
			},
			client: func(conn *net.TCPConn, _ *bufio.Reader) {
				conn.Write(hello)
			},
			want: EndedByClosed, eof: true,
		},
		{
			name: "client sends no more, server goes on",
			server: func(conn *net.TCPConn, r *bufio.Reader) {
				io.Copy(io.Discard, r) // sees the end although the connection stays
				conn.Write(frames(text("late")))
			},
			client: func(conn *net.TCPConn, r *bufio.Reader) {
				conn.CloseWrite()
				expect(r, frames(text("late")))
			},
			want: EndedByClosed, eof: true,
		},
		{
			name:   "server hangs up",
			server: func(*net.TCPConn, *bufio.Reader) {},
			client: func(_ *net.TCPConn, r *bufio.Reader) {
				io.Copy(io.Discard, r)
			},
			want: EndedByReadError,
		},
		{
			name: "server resets",
			server: func(conn *net.TCPConn, r *bufio.Reader) {
				r.ReadByte()
				conn.SetLinger(0)
			},
			client: func(conn *net.TCPConn, r *bufio.Reader) {
				conn.Write(hello)
				io.Copy(io.Discard, r)
			},
			want: EndedByReadError,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := upgrading(t, c.server)
			var got audience
			ended := make(chan struct{})
			proxy := httptest.NewServer(tapping(t, addr, func(conn io.ReadWriteCloser, opts Options) io.ReadWriteCloser {
				sinks := got.sinks()
				sinks.End = func(end End) { got.ends = append(got.ends, end); close(ended) }
				return NewTunnel(conn, sinks, opts)
			}))
			t.Cleanup(proxy.Close)
			conn, r := upgrade(t, proxy.URL)
			expect(r, welcome)
			c.client(conn, r)
			conn.Close()
			<-ended
			end := got.ends[0]
			if end.By != c.want {
				t.Errorf("End = %+v; want by %v", end, c.want)
			}
			// After a close frame either side may be the first to hang up.
			if end.Client.Close.Code == 0 && end.ClientEOF != c.eof {
				t.Errorf("ClientEOF = %t; want %t", end.ClientEOF, c.eof)
			}
			if len(got.server.log) == 0 || got.server.log[0].Data != "welcome" {
				t.Errorf("server calls = %+v; want the welcome first", got.server.log)
			}
		})
	}
}
