//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// whole reports whether the tests are to take their time; `make chaos` asks for that.
func whole() bool { return os.Getenv("CHAOS") == "full" }

// dialProxy connects with a proxy. The connection is closed when the test ends.
func dialProxy(t *testing.T, url string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return conn
}

// checkServes asks for something and wants it.
func checkServes(t *testing.T, url string) {
	t.Helper()
	if status, got := send(t, http.MethodPost, url+"/v1/responses", "{}", nil); status != http.StatusOK || got != `POST /v1/responses "{}"` {
		t.Fatalf("answer = %d %q; want what is served always", status, got)
	}
}

// heap is what is in use after a collection. What pools keep goes with the second one.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc + stats.StackInuse)
}

// checkEach wants so many clients to have made the heap grow by so many bytes each, at most, with their own ends.
func checkEach(t *testing.T, before int64, clients int, what string, most int64) {
	t.Helper()
	each := (heap() - before) / int64(clients)
	t.Logf("%d %s take %d bytes each, the client's end included", clients, what, each)
	if each > most {
		t.Errorf("%d %s take %d bytes each; want at most %d", clients, what, each, most)
	}
}

// checkLeft wants the heap to become what it was, but for what any traffic leaves behind and what the test keeps of its
// connections. What ends may take its time.
func checkLeft(t *testing.T, before int64, conns int) {
	t.Helper()
	spare := int64(3<<20 + conns*3<<10)
	left := heap() - before
	for end := time.Now().Add(20 * time.Second); left > spare && time.Now().Before(end); left = heap() - before {
		runtime.Gosched()
	}
	t.Logf("%d KiB more than before are in use", left>>10)
	if left > spare {
		t.Errorf("%d KiB more than before are in use; want at most %d", left>>10, spare>>10)
	}
}

// settle waits until no more goroutines run than before, but for some of connections that are kept.
func settle(t *testing.T, before int) {
	t.Helper()
	const spare = 16
	for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before+spare; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines run; want about %d as before", runtime.NumGoroutine(), before)
		}
	}
}

// descriptors returns how many connections with both their ends there can be in this process, at most want.
func descriptors(t *testing.T, want int) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = limit.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	const others = 512
	return min(want, (int(min(limit.Max, 1<<20))-others)/2)
}

// serveUpstream serves a handler until the test ends and returns its address.
func serveUpstream(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// TestStalledBodies has clients that stop in the middle of a request, forwarded, refused and unknown.
func TestStalledBodies(t *testing.T) {
	upstream := newRawUpstream(t)
	p := startProxy(t, upstream.baseURL(), "[server]\nidle_timeout = \"300ms\"\n")
	for _, test := range []struct {
		path, host string
		want       int
	}{
		{"/v1/responses", "127.0.0.1", http.StatusRequestTimeout},
		{"/v1/responses", "evil.test", http.StatusForbidden},
		{"/codex-proxy/v1/other", "127.0.0.1", http.StatusNotFound},
	} {
		for _, framing := range []string{"Content-Length: 1000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"} {
			conn := dialProxy(t, p.url)
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\n%s", test.path, test.host, framing)
			r := bufio.NewReader(conn)
			response, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatalf("%s: %v; want an answer", test.path, err)
			}
			body, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if response.StatusCode != test.want {
				t.Errorf("%s = %d %s; want %d", test.path, response.StatusCode, body, test.want)
			}
			if rest, err := io.ReadAll(r); len(rest) > 0 || isTimeout(err) {
				t.Errorf("%s: then came %q, %v; want the end of the connection", test.path, rest, err)
			}
		}
	}
	checkServes(t, p.url)
	p.stop()
}

// TestManyStalledBodies has many such clients at a time.
func TestManyStalledBodies(t *testing.T) {
	clients := 200
	if whole() {
		clients = descriptors(t, 2000) / 2 // Each has a connection with the upstream, too.
	}
	upstream := newRawUpstream(t)
	p := startProxy(t, upstream.baseURL(), "[server]\nidle_timeout = \"1s\"\n")
	stallBodies(t, p.url, 10, func() {}) // What is made once is made.
	goroutines, before := runtime.NumGoroutine(), heap()
	stallBodies(t, p.url, clients, func() {
		for end := time.Now().Add(time.Minute); upstream.connections() < clients/2; runtime.Gosched() {
			if time.Now().After(end) {
				t.Fatalf("%d connections with the upstream; want most of %d", upstream.connections(), clients)
			}
		}
		// Three buffers of the upload, and those of four ends of connections.
		checkEach(t, before, clients, "stalled bodies", 256<<10)
	})
	settle(t, goroutines)
	checkLeft(t, before, clients)
	p.stop()
}

// stallBodies has clients that stop in the middle of a body, and wants each to be told so. Meanwhile is called once all wait.
func stallBodies(t *testing.T, url string, clients int, meanwhile func()) {
	t.Helper()
	conns := make([]net.Conn, 0, clients)
	for range clients {
		conn := dialProxy(t, url)
		_, _ = io.WriteString(conn, "POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nThread-Id: thread-1\r\nContent-Length: 1000\r\n\r\n{")
		conns = append(conns, conn)
	}
	meanwhile()
	for _, conn := range conns {
		if answer, err := io.ReadAll(conn); isTimeout(err) || !strings.HasPrefix(string(answer), "HTTP/1.1 408 ") {
			t.Fatalf("a stalled client got %q, %v; want 408 and the end of the connection", answer, err)
		}
		_ = conn.Close()
	}
	checkServes(t, url)
}

// TestSlowHeads has clients that never come to the end of their headers, more and more of them.
func TestSlowHeads(t *testing.T) {
	clients := 200
	if whole() {
		clients = descriptors(t, 5000)
	}
	upstream := newRawUpstream(t)
	p := startProxy(t, upstream.baseURL(), "[server]\nread_header_timeout = \"500ms\"\n")
	checkServes(t, p.url)
	goroutines, before := runtime.NumGoroutine(), heap()
	var conns []net.Conn
	for i := range clients {
		conn := dialProxy(t, p.url)
		_, _ = io.WriteString(conn, "POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
		conns = append(conns, conn)
		if i%100 == 0 {
			checkServes(t, p.url)
		}
	}
	checkEach(t, before, clients, "slow heads", 64<<10)
	for _, conn := range conns {
		if _, err := io.ReadAll(conn); isTimeout(err) {
			t.Fatal("a slow client is kept; want its connection closed")
		}
		_ = conn.Close()
	}
	checkServes(t, p.url)
	settle(t, goroutines)
	checkLeft(t, before, clients)
	p.stop()
}

// isTimeout reports whether an error is that of a deadline.
func isTimeout(err error) bool {
	timeout, ok := err.(net.Error) //nolint:errorlint // is what connections return
	return ok && timeout.Timeout()
}

// TestHeaderFlood has heads that are too large, in one field or in many, and as many as fit.
func TestHeaderFlood(t *testing.T) {
	upstream := newRawUpstream(t)
	p := startProxy(t, upstream.baseURL(), "")
	head := "GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	for name, flood := range map[string]string{
		"bit":  "X: " + strings.Repeat("x", 300<<10) + "\r\n\r\n",
		"one":  "X: " + strings.Repeat("x", 2*maxHeaderBytes) + "\r\n\r\n",
		"many": strings.Repeat("a: b\r\n", maxHeaderBytes/3) + "\r\n",
		"ever": strings.Repeat("a: b\r\n", maxHeaderBytes),
	} {
		conn := dialProxy(t, p.url)
		go func() { _, _ = io.WriteString(conn, head+flood) }()
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s: %v, %v; want 431", name, response, err)
			continue
		}
		_ = response.Body.Close()
	}
	if raw, _, _ := upstream.take(); raw != "" {
		t.Errorf("%d bytes arrived at the upstream; want none", len(raw))
	}
	largest := strings.Repeat("x", 200<<10)
	if status, answer := send(t, http.MethodPost, p.url+"/v1/responses", "{}", func(r *http.Request) { r.Header.Set("X", largest) }); status != http.StatusOK {
		t.Errorf("a head of 200 KiB = %d %q; want it served", status, answer)
	}
	clients := 32
	if whole() {
		clients = 512
	}
	before := heap()
	for range clients {
		conn := dialProxy(t, p.url)
		_, _ = io.WriteString(conn, head+strings.Repeat("a: b\r\n", (maxHeaderBytes-1024)/6))
	}
	checkServes(t, p.url)
	// A field of six bytes is a string and its part of a slice: some forty bytes.
	grown := (heap() - before) / int64(clients)
	t.Logf("%d open heads take %d KiB each", clients, grown>>10)
	if most := int64(16 * maxHeaderBytes); grown > most {
		t.Errorf("an open head takes %d bytes; want at most %d", grown, most)
	}
	p.stop()
}

// TestUnusedConnectionsEnd wants a connection, used once, to be closed when nothing comes for the idle timeout, in both versions.
func TestUnusedConnectionsEnd(t *testing.T) {
	upstream := newRawUpstream(t)
	p := startProxy(t, upstream.baseURL(), "[server]\nidle_timeout = \"200ms\"\n")
	for version, open := range map[string]func(net.Conn) error{
		"HTTP/1": func(conn net.Conn) error {
			_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
			return nil
		},
		"HTTP/2": func(conn net.Conn) error {
			_, _ = io.WriteString(conn, http2.ClientPreface)
			return http2.NewFramer(conn, conn).WriteSettings()
		},
	} {
		conn := dialProxy(t, p.url)
		if err := open(conn); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if got, err := io.ReadAll(conn); len(got) == 0 || isTimeout(err) {
			t.Errorf("%s: got %q, %v; want an answer and the end of the connection", version, got, err)
		}
	}
	p.stop()
}

// TestIdleConnections opens connections, uses each once, and keeps them.
func TestIdleConnections(t *testing.T) {
	clients := 500
	if whole() {
		clients = descriptors(t, 10_000)
	}
	upstream := newRawUpstream(t)
	p := startProxy(t, upstream.baseURL(), "")
	checkServes(t, p.url)
	goroutines, before := runtime.NumGoroutine(), heap()
	conns := make([]net.Conn, 0, clients)
	for i := range clients {
		conn := dialProxy(t, p.url)
		_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
		r := bufio.NewReaderSize(conn, 512)
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		conns = append(conns, conn)
		if i%500 == 0 {
			checkServes(t, p.url)
		}
	}
	checkServes(t, p.url)
	checkEach(t, before, clients, "idle connections", 64<<10)
	for _, conn := range conns {
		_ = conn.Close()
	}
	settle(t, goroutines)
	checkServes(t, p.url)
	p.stop()
}
