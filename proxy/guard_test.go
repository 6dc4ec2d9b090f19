package proxy

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// guardReply is what came back from a guarded server over a socket of its own.
type guardReply struct {
	Status int
	Code   string // of the error, empty where the request passed
}

// ask sends the lines as they are, so that the test and not net/http decides what the headers hold.
func ask(t *testing.T, address string, lines ...string) (guardReply, http.Header, []byte) {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var refusal struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if resp.StatusCode == http.StatusForbidden {
		if err := json.Unmarshal(body, &refusal); err != nil {
			t.Fatalf("body %q: %v", body, err)
		}
	}
	return guardReply{resp.StatusCode, refusal.Error.Code}, resp.Header, body
}

func serveGuarded(t *testing.T, g *Guard) string {
	t.Helper()
	server := httptest.NewServer(g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
	})))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

var (
	passes        = guardReply{Status: http.StatusOK}
	hostRefused   = guardReply{http.StatusForbidden, "host_not_allowed"}
	originRefused = guardReply{http.StatusForbidden, "origin_not_allowed"}
	malformed     = guardReply{Status: http.StatusBadRequest} // net/http refuses it first
)

func TestGuardHost(t *testing.T) {
	address := serveGuarded(t, NewGuard([]string{"Proxy.Example.com", "gateway:8787", "[fd00::1]", "[fd00:0::2]:8787", "web.example:80", "a@b"}, nil))
	tests := []struct {
		host string
		want guardReply
	}{
		{"localhost", passes},
		{"localhost:8787", passes},
		{"LocalHost:1", passes},
		{"localhost.", passes},
		{"localhost.:8787", passes},
		{"127.0.0.1", passes},
		{"127.0.0.1:65535", passes},
		{"127.255.1.2:80", passes},
		{"[::1]", passes},
		{"[::1]:8787", passes},
		{"[0:0:0:0:0:0:0:1]:8787", passes},
		{"[::ffff:127.0.0.1]:8787", passes},
		{"proxy.example.com", passes},
		{"PROXY.example.com.:9999", passes},
		{"gateway:8787", passes},
		{"[fd00:0:0::1]:5", passes},
		{"[fd00::2]:8787", passes},
		{"web.example", passes},
		{"web.example:80", passes},

		{"evil.example", hostRefused},
		{"evil.example:8787", hostRefused},
		{"localhost.evil.example", hostRefused},
		{"evil.localhost", hostRefused},
		{"notlocalhost", hostRefused},
		{"localhost..", hostRefused},
		{"127.0.0.1.evil.example", hostRefused},
		{"127.1", hostRefused},
		{"2130706433", hostRefused},
		{"0.0.0.0:8787", hostRefused},
		{"[::]:8787", hostRefused},
		{"10.0.0.1", hostRefused},
		{"::1", hostRefused},
		{"[::1", hostRefused},
		{"[127.0.0.1]", hostRefused},
		{"[::1]evil", hostRefused},
		{"[::1]:", hostRefused},
		{"localhost:", hostRefused},
		{"localhost:0", hostRefused},
		{"localhost:65536", hostRefused},
		{"localhost:+80", hostRefused},
		{"localhost:80:80", hostRefused},
		{"localhost:8787@evil.example", malformed},
		{"localhost@evil.example", malformed},
		{"evil.example@localhost", malformed},
		{"a@b", malformed},
		{"", hostRefused},
		{":8787", hostRefused},
		{".", hostRefused},
		{"gateway", hostRefused},
		{"gateway:8788", hostRefused},
		{"sub.proxy.example.com", hostRefused},
		{"[fd00::2]", hostRefused},
		{"web.example:81", hostRefused},
	}
	for _, test := range tests {
		got, _, _ := ask(t, address, "GET / HTTP/1.1", "Host: "+test.host)
		if got != test.want {
			t.Errorf("Host %q = %+v; want %+v", test.host, got, test.want)
		}
	}
}

// TestGuardTarget pins that an absolute target outranks Host (RFC 9112 §3.2.2), and that HTTP/1.0 is no way around.
func TestGuardTarget(t *testing.T) {
	address := serveGuarded(t, NewGuard(nil, nil))
	tests := []struct {
		lines []string
		want  guardReply
	}{
		{[]string{"GET http://evil.example/ HTTP/1.1", "Host: localhost"}, hostRefused},
		{[]string{"GET http://localhost/ HTTP/1.1", "Host: evil.example"}, passes},
		{[]string{"GET / HTTP/1.0"}, hostRefused},
		{[]string{"CONNECT evil.example:443 HTTP/1.1", "Host: localhost"}, hostRefused},
	}
	for _, test := range tests {
		if got, _, _ := ask(t, address, test.lines...); got != test.want {
			t.Errorf("%q = %+v; want %+v", test.lines, got, test.want)
		}
	}
}

func TestGuardOrigin(t *testing.T) {
	address := serveGuarded(t, NewGuard([]string{"proxy.example.com"},
		[]string{"https://App.example.com", "http://localhost:3000", "vscode-webview://editor", "null", ""}))
	const local = "127.0.0.1:8787"
	tests := []struct {
		host    string
		headers []string
		want    guardReply
	}{
		{local, nil, passes},
		{local, []string{"Origin: https://app.example.com"}, passes},
		{local, []string{"Origin: https://app.example.com", "Sec-Fetch-Site: cross-site"}, passes},
		{local, []string{"Origin: http://localhost:3000"}, passes},
		{local, []string{"Origin: vscode-webview://editor"}, passes},
		{local, []string{"Origin: http://127.0.0.1:8787"}, passes},
		{"LOCALHOST.:8787", []string{"Origin: http://localhost:8787"}, passes},
		{"[::1]:8787", []string{"Origin: http://[::1]:8787", "Sec-Fetch-Site: same-origin"}, passes},
		{"localhost", []string{"Origin: http://localhost"}, passes},
		{"localhost:80", []string{"Origin: http://localhost"}, passes},
		{local, []string{"Sec-Fetch-Site: none"}, passes},
		{local, []string{"Sec-Fetch-Site: same-origin"}, passes},

		{local, []string{"Origin: https://evil.example"}, originRefused},
		{local, []string{"Origin: null"}, originRefused},
		{local, []string{"Origin: "}, originRefused},
		{local, []string{"Origin: http://app.example.com"}, originRefused},
		{local, []string{"Origin: https://app.example.com:8443"}, originRefused},
		{local, []string{"Origin: https://app.example.com.evil.example"}, originRefused},
		{local, []string{"Origin: http://127.0.0.1:3000"}, originRefused},
		{local, []string{"Origin: http://localhost:8787"}, originRefused},
		{local, []string{"Origin: https://127.0.0.1:8787"}, originRefused},
		{local, []string{"Origin: http://evil@127.0.0.1:8787"}, originRefused},
		{local, []string{"Origin: http://127.0.0.1:8787/"}, originRefused},
		{local, []string{"Origin: http://127.0.0.1:8787 https://evil.example"}, originRefused},
		{local, []string{"Origin: http://127.0.0.1:8787", "Origin: https://evil.example"}, originRefused},
		{"proxy.example.com", []string{"Origin: http://proxy.example.com"}, originRefused},
		{local, []string{"Sec-Fetch-Site: cross-site"}, originRefused},
		{local, []string{"Sec-Fetch-Site: same-site"}, originRefused},
		{local, []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"}, originRefused},
		{local, []string{"Connection: Upgrade", "Upgrade: websocket", "Origin: https://evil.example"}, originRefused},
		{local, []string{"Connection: Upgrade", "Upgrade: websocket", "Origin: http://127.0.0.1:8787"}, passes},
		{"evil.example:8787", []string{"Connection: Upgrade", "Upgrade: websocket", "Origin: http://evil.example:8787"}, hostRefused},
	}
	for _, test := range tests {
		got, _, _ := ask(t, address, append([]string{"GET / HTTP/1.1", "Host: " + test.host}, test.headers...)...)
		if got != test.want {
			t.Errorf("Host %q, %q = %+v; want %+v", test.host, test.headers, got, test.want)
		}
	}
}

// TestGuardUserInfo goes around net/http's server, which lets none of these reach a handler.
func TestGuardUserInfo(t *testing.T) {
	guard := NewGuard([]string{"a@b"}, nil).Wrap(http.NotFoundHandler())
	for _, host := range []string{"localhost@evil.example", "localhost:8787@evil.example", "evil.example@localhost", "a@b", "[::1%lo]:8787", "localhost/", "localhost evil"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		guard.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden {
			t.Errorf("Host %q = %d; want %d", host, w.Code, http.StatusForbidden)
		}
	}
}

// TestGuardTLS pins the scheme and port that same-origin is judged by behind TLS.
func TestGuardTLS(t *testing.T) {
	guard := NewGuard([]string{"web.example:443"}, nil).Wrap(http.NotFoundHandler())
	tests := []struct {
		url, origin string
		want        int
	}{
		{"https://localhost/", "https://localhost", http.StatusNotFound},
		{"https://localhost/", "https://localhost:443", http.StatusNotFound},
		{"https://localhost/", "http://localhost", http.StatusForbidden},
		{"http://localhost/", "https://localhost", http.StatusForbidden},
		{"https://web.example/", "", http.StatusNotFound},
		{"http://web.example/", "", http.StatusForbidden},
	}
	for _, test := range tests {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, test.url, nil)
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		w := httptest.NewRecorder()
		guard.ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%s from %q = %d; want %d", test.url, test.origin, w.Code, test.want)
		}
	}
}

func TestGuardAnswer(t *testing.T) {
	guard := NewGuard(nil, nil)
	address := serveGuarded(t, guard)
	for i, test := range []struct{ host, origin, key string }{
		{"evil.example", "", "allowed_hosts"},
		{"localhost", "Origin: https://evil.example", "allowed_origins"},
	} {
		lines := []string{"GET / HTTP/1.1", "Host: " + test.host}
		if test.origin != "" {
			lines = append(lines, test.origin)
		}
		reply, header, body := ask(t, address, lines...)
		var got map[string]map[string]any
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		message, _ := got["error"]["message"].(string)
		if !strings.Contains(message, test.key+" under [guard]") || strings.Contains(message, "evil") {
			t.Errorf("message = %q; want the key %s and nothing of the request", message, test.key)
		}
		delete(got["error"], "message")
		want := map[string]map[string]any{"error": {"type": "codex_proxy_error", "code": reply.Code, "param": nil}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("body (-want +got):\n%s", diff)
		}
		if contentType := header.Get("Content-Type"); contentType != "application/json" {
			t.Errorf("Content-Type = %q; want application/json", contentType)
		}
		if got, want := guard.Refused(), int64(i+1); got != want {
			t.Errorf("Refused() = %d; want %d", got, want)
		}
	}
	ask(t, address, "GET / HTTP/1.1", "Host: localhost")
	if got := guard.Refused(); got != 2 {
		t.Errorf("Refused() = %d after a request that passed; want 2", got)
	}
}
