package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
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

// newHandler returns a proxy in front of base that tells nobody.
func newHandler(t *testing.T, base string) *proxy.Handler {
	t.Helper()
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := proxy.New(proxy.Config{BaseURL: target, Recorder: &journal{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(handler.Close)
	return handler
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

// TestDamagedUnreadBodyEndsTheConnection fails a request whose body nobody has read, and which is damaged: what follows is no request.
func TestDamagedUnreadBodyEndsTheConnection(t *testing.T) {
	server, handler, _, _ := startLogged(t, "http://127.0.0.1:1/v1")
	conn := dialServer(t, server)
	fmt.Fprint(conn, "POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"+
		"GET /v1/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		t.Error("the connection is kept; want its end")
	}
	if answers := strings.Count(string(got), "HTTP/1.1 "); answers != 1 || handler.Stats().Exchanges != 1 {
		t.Errorf("%d answers, %d exchanges; want one: %q", answers, handler.Stats().Exchanges, got)
	}
}

// TestRequestTakenBackEndsUpstream has agents that leave before anything is answered: the upstream must not go on.
func TestRequestTakenBackEndsUpstream(t *testing.T) {
	arrived, ended := make(chan struct{}, 1), make(chan struct{}, 1)
	stop := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		select {
		case <-r.Context().Done():
			ended <- struct{}{}
		case <-stop:
		}
	}))
	defer upstream.Close()
	defer close(stop)
	for _, protocol := range []string{"HTTP/1", "HTTP/2"} {
		handler := newHandler(t, upstream.URL+"/v1")
		server := httptest.NewUnstartedServer(handler)
		protocols := new(http.Protocols)
		protocols.SetHTTP1(protocol == "HTTP/1")
		protocols.SetUnencryptedHTTP2(protocol == "HTTP/2")
		server.Config.Protocols = protocols
		server.Start()
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/v1/responses", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{Protocols: protocols}
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			if response, err := transport.RoundTrip(req); err == nil {
				response.Body.Close()
			}
		}()
		<-arrived
		cancel()
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Errorf("%s: what the agent took back goes on at the upstream", protocol)
			handler.Cut()
		}
		<-answered
		transport.CloseIdleConnections()
		server.Close()
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
