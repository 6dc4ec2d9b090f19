package e2e_test

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// prize is an upstream that answers everything and remembers what was asked.
type prize struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newPrize(t *testing.T) *prize {
	t.Helper()
	p := &prize{}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *prize) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.RequestURI)
	p.mu.Unlock()
	key := r.Header.Get("Sec-Websocket-Key")
	if key == "" {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, "0;")
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(buffered, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	_ = buffered.Flush()
	_, _ = io.Copy(io.Discard, conn)
}

func (p *prize) list() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// freePort returns a port that is free at 127.0.0.1 and at 127.0.0.2.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// TestPagesAreKeptOut displays a page in a real browser that tries all it can with the proxy: from a program on the same
// machine, from a site elsewhere, and from a site whose name is rebound to this machine. Nothing may reach the upstream,
// the books or the page. That the page could, the guard being told to let it, is tried as well.
func TestPagesAreKeptOut(t *testing.T) {
	chromium := browser(t)
	for _, page := range []struct {
		name   string
		origin func(a *attacker, port string) string
		target func(port string) string
	}{
		{"same machine", func(a *attacker, _ string) string { return "http://127.0.0.1:" + a.port }, func(port string) string { return "http://127.0.0.1:" + port }},
		{"by name", func(a *attacker, _ string) string { return "http://127.0.0.1:" + a.port }, func(port string) string { return "http://localhost:" + port }},
		{"another site", func(a *attacker, _ string) string { return "http://evil.test:" + a.port }, func(port string) string { return "http://127.0.0.1:" + port }},
		{"rebound", func(_ *attacker, port string) string { return "http://evil.test:" + port }, func(port string) string { return "http://evil.test:" + port }},
	} {
		for _, allowed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s allowed=%t", page.name, allowed), func(t *testing.T) {
				a, upstream, port := newAttacker(t), newPrize(t), freePort(t)
				origin, target := page.origin(a, port), page.target(port)
				toml := ""
				if allowed {
					toml = "[guard]\nallowed_hosts = [\"evil.test\"]\nallowed_origins = [\"" + origin + "\"]\n"
				}
				command := serveCommand(t, upstream.URL+"/v1", toml)
				command.Args = append(command.Args, "--listen", "127.0.0.1:"+port)
				p := start(t, command)
				if origin == target {
					a.rebind(t, port)
				}
				results := a.visit(t, chromium, a.page(origin, target))
				asked, seen := upstream.list(), p.metrics(t)
				t.Logf("the page: %q", results)
				if allowed {
					checkReached(t, page.name, results, asked, seen)
					return
				}
				if len(asked) > 0 {
					t.Errorf("upstream was asked %q; want nothing", asked)
				}
				if n := seen.observed(); n != 0 {
					t.Errorf("%v events recorded; want none", n)
				}
				for attempt, result := range results {
					read := strings.HasPrefix(result, "200 ") || result == "no end"
					opened := result == "opened" && (strings.Contains(attempt, "socket") || attempt == "follow the feed" ||
						attempt == "show an image" || attempt == "run a script")
					if read || opened {
						t.Errorf("%s: %s; want it refused", attempt, result)
					}
				}
			})
		}
	}
}

// checkReached checks that the attempts of an allowed page come through, so that the others would.
func checkReached(t *testing.T, name string, results map[string]string, asked []string, seen metrics) {
	t.Helper()
	for _, want := range []string{"POST /v1/responses?blind", "POST /v1/responses?form", "POST /v1/responses?beacon", "GET /v1/responses", "GET /v1/realtime"} {
		if !slices.Contains(asked, want) {
			t.Errorf("upstream was asked %q; want %s among it", asked, want)
		}
	}
	if results["open a socket"] != "opened" {
		t.Errorf("socket %s; want it opened", results["open a socket"])
	}
	if seen[`codex_proxy_events_total{event="codex.user_prompt"}`] == 0 && seen.observed() == 0 {
		t.Error("no event recorded; want those of the page")
	}
	if name == "rebound" && !strings.HasPrefix(results["read the ledger"], "200 ") {
		t.Errorf("ledger: %s; want it read", results["read the ledger"])
	}
}
