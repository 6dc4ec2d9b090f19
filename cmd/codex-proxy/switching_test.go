package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// scriptedUpstream answers each connection with the same bytes, whatever is asked, and gives what came.
type scriptedUpstream struct {
	listener net.Listener
	came     chan string // what came over each connection
}

func newScriptedUpstream(t *testing.T, answer string) *scriptedUpstream {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &scriptedUpstream{listener: listener, came: make(chan string, 16)}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
				r := bufio.NewReader(conn)
				var head strings.Builder
				for !strings.HasSuffix(head.String(), "\r\n\r\n") {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					head.WriteString(line)
				}
				_, _ = io.WriteString(conn, answer)
				rest, _ := io.ReadAll(r)
				u.came <- head.String() + string(rest)
			})
		}
	})
	t.Cleanup(func() { _ = listener.Close(); conns.Wait() })
	return u
}

// askFor is a request for another protocol.
func askFor(protocol, path string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol +
		"\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
}

// TestWrongSwitches has upstreams that switch to a protocol that the client did not ask for, or switch and do not say to what.
// There must be no tunnel then: requests in it would be nobody's to check.
func TestWrongSwitches(t *testing.T) {
	const (
		plain  = "GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
		hidden = "GET /v1/smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
		accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	)
	for _, test := range []struct{ name, request, answer string }{
		{"not asked for", plain, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
		{"not asked for, and to nothing", plain, "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
		{"to another protocol", askFor("websocket", "/v1/responses"), "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"},
		{"to nothing", askFor("websocket", "/v1/responses"), "HTTP/1.1 101 Switching Protocols\r\n" + accept + "\r\n"},
		{"without a connection field", askFor("websocket", "/v1/responses"), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" + accept + "\r\n"},
		{"to HTTP/2", askFor("h2c", "/v1/models"), "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"},
		{"to what nobody knows", askFor("tls/1.0", "/v1/models"), "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tls/1.0\r\n\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			upstream := newScriptedUpstream(t, test.answer)
			p := startProxy(t, "http://"+upstream.listener.Addr().String()+"/v1", "")
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
			_, _ = io.WriteString(conn, test.request)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != http.StatusBadGateway {
				t.Errorf("answer = %d; want 502", response.StatusCode)
			}
			_, _ = io.WriteString(conn, hidden)
			_ = conn.Close()
			if got := <-upstream.came; strings.Contains(got, "smuggled") {
				t.Errorf("%q arrived; want no tunnel", got)
			}
			if code := p.stop(); code != 0 {
				t.Errorf("exit code %d; want 0", code)
			}
		})
	}
}

// TestUpgradesToAnythingElse are not passed on: RFC 9110 §7.8 leaves it to a proxy, which could neither watch nor guard such a tunnel.
func TestUpgradesToAnythingElse(t *testing.T) {
	upstream := newScriptedUpstream(t, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
	p := startProxy(t, "http://"+upstream.listener.Addr().String()+"/v1", "")
	for _, protocol := range []string{"h2c", "HTTP/2.0", "tls/1.0", "websocket, h2c"} {
		statuses, _ := exchangeRaw(t, p.url, strings.Replace(askFor(protocol, "/v1/models"), "Connection: Upgrade", "Connection: close, Upgrade", 1))
		if len(statuses) != 1 || statuses[0] != "200" {
			t.Errorf("Upgrade: %s is answered with %q; want 200", protocol, statuses)
		}
		got := strings.ToLower(<-upstream.came)
		for _, field := range []string{"\nupgrade:", "\nconnection:", "\nhttp2-settings:"} {
			if strings.Contains(got, field) {
				t.Errorf("with Upgrade: %s arrived %q; want no%s", protocol, got, field)
			}
		}
	}
	p.stop()
}

// TestBytesBehindTheHandshake sends a frame together with the handshake, which RFC 6455 §4.1 tells clients not to do. What a
// proxy must not do is to lose it: what follows would be understood from the middle.
func TestBytesBehindTheHandshake(t *testing.T) {
	const frame = "\x81\x85\x00\x00\x00\x00hello"
	for _, path := range []string{"/v1/responses", "/v1/realtime"} {
		upstream := newScriptedUpstream(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x02hi")
		p := startProxy(t, "http://"+upstream.listener.Addr().String()+"/v1", "")
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		_, _ = io.WriteString(conn, askFor("websocket", path)+frame)
		r := bufio.NewReader(conn)
		response, err := http.ReadResponse(r, nil)
		if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("answer = %v, %v; want 101", response, err)
		}
		first := make([]byte, 4)
		if _, err := io.ReadFull(r, first); err != nil || string(first) != "\x81\x02hi" {
			t.Errorf("server's first frame = %q, %v", first, err)
		}
		_, _ = io.WriteString(conn, frame)
		_ = conn.Close()
		if got := <-upstream.came; !strings.HasSuffix(got, "\r\n\r\n"+frame+frame) {
			t.Errorf("%s: %q arrived; want both frames behind the handshake", path, got)
		}
		p.stop()
	}
}
