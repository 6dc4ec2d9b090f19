package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/proxy"
)

// lockedBuffer is a log that may be written and read at once.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// startLogged runs a proxy in front of base whose server logs into the buffer.
func startLogged(t *testing.T, base string) (*httptest.Server, *proxy.Handler, *journal, *lockedBuffer) {
	t.Helper()
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	records, logged := &journal{}, &lockedBuffer{}
	handler, err := proxy.New(proxy.Config{BaseURL: target, Recorder: records})
	if err != nil {
		t.Fatal(err)
	}
	records.settle = handler.Settle
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(logged, nil), slog.LevelError)
	server.Start()
	t.Cleanup(func() {
		server.Close()
		handler.Close()
	})
	return server, handler, records, logged
}

func dialServer(t *testing.T, server *httptest.Server) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// TestUnreadBodyKeepsTheConnection fails requests whose body nobody read: the
// connection must carry the next request.
func TestUnreadBodyKeepsTheConnection(t *testing.T) {
	server, _, _, logged := startLogged(t, "http://127.0.0.1:1/v1")
	conn := dialServer(t, server)
	reader := bufio.NewReader(conn)
	for i, framing := range []string{"Content-Length: 2\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "Content-Length: 2\r\n\r\n{}"} {
		fmt.Fprintf(conn, "POST /v1/responses HTTP/1.1\r\nHost: localhost\r\n%s", framing)
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatalf("response %d: %v\n%s", i, err, logged.String())
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusBadGateway || !strings.Contains(string(body), "refused") {
			t.Errorf("response %d = %d %q, %v; want 502 and why", i, response.StatusCode, body, err)
		}
	}
	conn.Close()
	server.Close()
	if got := logged.String(); got != "" {
		t.Errorf("the server logged %s; want nothing", got)
	}
}

// TestEarlyAnswerDoesNotWait has answers that come while the agent still sends:
// it must have them before it goes on.
func TestEarlyAnswerDoesNotWait(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.Header().Set("Content-Length", "2")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "no")
	}))
	defer refusing.Close()
	for base, want := range map[string]int{refusing.URL: http.StatusUnauthorized, "http://127.0.0.1:1": http.StatusBadGateway} {
		server, _, _, _ := startLogged(t, base)
		conn := dialServer(t, server)
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nfirst ")
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("no answer before the request has ended: %v", err)
		}
		if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != want || len(body) == 0 {
			t.Errorf("answer = %d %q, %v; want %d", response.StatusCode, body, err, want)
		}
		conn.Close()
	}
}

// TestAgentBreaksOffItsUpload has agents that fail in the middle of a request.
// The upstream did nothing wrong.
func TestAgentBreaksOffItsUpload(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			w.WriteHeader(http.StatusOK)
		}
	}))
	defer upstream.Close()
	for name, request := range map[string]string{
		"hang-up":   "Content-Length: 100\r\n\r\n{",
		"bad chunk": "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			server, handler, records, _ := startLogged(t, upstream.URL+"/v1")
			conn := dialServer(t, server)
			fmt.Fprintf(conn, "POST /v1/responses HTTP/1.1\r\nHost: localhost\r\n%s", request)
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if response, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || response.StatusCode != 499 {
				t.Errorf("response = %v, %v; want 499", response, err)
			}
			conn.Close()
			server.Close()
			if got := handler.Stats().UpstreamFailures; got != 0 {
				t.Errorf("UpstreamFailures = %d; want 0", got)
			}
			requests := records.requests()
			if len(requests) != 1 || !requests[0].ClientGone || requests[0].Failed() {
				t.Errorf("recorded %+v; want one request that the agent gave up", requests)
			}
		})
	}
}

func TestUpstreamHangsUpBeforeItAnswers(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer upstream.Close()
	server, _ := start(t, upstream.URL+"/v1")
	response := post(t, server.URL+"/v1/responses", ask, nil)
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusBadGateway || !strings.Contains(string(body), "closed the connection before it answered") {
		t.Errorf("response = %d %q, %v; want 502 and why", response.StatusCode, body, err)
	}
}

// TestDamagedBodyEndsTheConnection has bodies whose chunks are none, which the agent goes on after with what would be a
// request if it were one: before and after the answer.
func TestDamagedBodyEndsTheConnection(t *testing.T) {
	const rest = "no size\r\nGET /v1/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for _, early := range []bool{false, true} {
		var asked atomic.Int64
		upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if early {
				_ = http.NewResponseController(w).EnableFullDuplex()
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
		}))
		t.Cleanup(upstream.Close)
		server, _, _, _ := startLogged(t, upstream.URL)
		conn := dialServer(t, server)
		if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		reader := bufio.NewReader(conn)
		want := http.StatusUnauthorized
		fmt.Fprint(conn, "POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
		if !early {
			want = 499
			fmt.Fprint(conn, rest)
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != want {
			t.Errorf("answer = %d %q, %v; want %d", response.StatusCode, body, err, want)
		}
		if early {
			fmt.Fprint(conn, rest)
		}
		if more, _ := io.ReadAll(reader); len(more) > 0 { // a reset is an end, too
			t.Errorf("then came %q; want the end of the connection", more)
		}
		if asked.Load() > 1 {
			t.Errorf("the upstream was asked %d times; want once at most", asked.Load())
		}
	}
}
