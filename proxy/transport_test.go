package proxy_test

import (
	"bufio"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/proxy"
)

func TestHTTP2Upstream(t *testing.T) {
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}))
	upstream.EnableHTTP2 = true
	upstream.StartTLS()
	defer upstream.Close()
	base, _ := url.Parse(upstream.URL + "/v1")
	roots := x509.NewCertPool()
	roots.AddCert(upstream.Certificate())
	handler, err := proxy.New(proxy.Config{BaseURL: base, RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	defer handler.Close()
	server := httptest.NewServer(handler)
	defer server.Close()
	response := post(t, server.URL+"/v1/responses", ask, nil)
	if got, err := io.ReadAll(response.Body); err != nil || string(got) != "HTTP/2.0" {
		t.Errorf("upstream was asked by %q, %v; want HTTP/2.0", got, err)
	}
}

func TestEarlyHintsPass(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</x>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer upstream.Close()
	server, _ := start(t, upstream.URL+"/v1")
	hints := 0
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		if code == http.StatusEarlyHints && header.Get("Link") != "" {
			hints++
		}
		return nil
	}}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, server.URL+"/v1/models", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := roundTrip(t, request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if hints != 1 || response.StatusCode != http.StatusNoContent {
		t.Errorf("%d early hints, status %d; want 1, 204", hints, response.StatusCode)
	}
}

func TestExpectContinueIsTheUpstreams(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The body is never asked for.
		w.Header().Set("X-Expect", r.Header.Get("Expect"))
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer upstream.Close()
	server, _ := start(t, upstream.URL+"/v1")
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized || response.Header.Get("X-Expect") != "100-continue" {
		t.Errorf("first answer = %d, upstream saw Expect %q; want 401 without a 100 before", response.StatusCode, response.Header.Get("X-Expect"))
	}
}

func TestUpgradePasses(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		line, _ := buffered.ReadString('\n')
		_, _ = io.WriteString(conn, "echo "+line)
	}))
	defer upstream.Close()
	server, handler, records, _ := startLogged(t, upstream.URL+"/v1")
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /v1/responses HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("status = %d; want 101", response.StatusCode)
	}
	_, _ = io.WriteString(conn, "hello\n")
	if got, err := reader.ReadString('\n'); err != nil || got != "echo hello\n" {
		t.Errorf("echo = %q, %v; want the frame back", got, err)
	}
	conn.Close()
	server.Close()
	if err := handler.Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
	// What passes is no WebSocket: the handshake is told, and nothing else.
	if got := records.lines(); len(got) != 1 || got[0] != "codex.websocket_connect 101 true " {
		t.Errorf("records %q; want that of the handshake", got)
	}
}

// TestHugeBodyIsNotHeld sends 100 MB to an upstream that has read all but the end before the end is sent.
func TestHugeBodyIsNotHeld(t *testing.T) {
	const size = 100 << 20
	seen := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, _ := io.CopyN(io.Discard, r.Body, size-1)
		if n == size-1 {
			close(seen)
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer upstream.Close()
	server, records := start(t, upstream.URL+"/v1")
	reader, writer := io.Pipe()
	go func() {
		head, tail := `{"input":"`, `","model":"m"}`
		_, _ = io.WriteString(writer, head)
		_, _ = io.CopyN(writer, repeat{}, int64(size-len(head)-len(tail)))
		_, _ = io.WriteString(writer, tail)
		<-seen
		_, _ = io.WriteString(writer, " ")
		writer.Close()
	}()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/responses", reader)
	if err != nil {
		t.Fatal(err)
	}
	response, err := roundTrip(t, request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	server.Close()
	all := records.all()
	if len(all) == 0 || all[0].Scope.Model != "m" {
		t.Fatalf("records = %+v; want the model from behind 100 MB", all)
	}
	if requests := records.requests(); len(requests) != 1 || requests[0].RequestBytes.Value != size+1 {
		t.Errorf("api_request = %+v; want one of %d bytes", requests, size+1)
	}
}

// repeat reads as the letter x without end.
type repeat struct{}

func (repeat) Read(p []byte) (int, error) {
	return copy(p, strings.Repeat("x", len(p))), nil
}
