package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

func TestUpstreamWithItsOwnCA(t *testing.T) {
	upstream := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	defer upstream.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: upstream.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, upstream.URL+"/base", "[upstream]\nca_certificate = "+strconv.Quote(file)+"\n")
	if status, body := send(t, "GET", p.url+"/v1/models", "", nil); status != 200 || body != "/base/models" {
		t.Errorf("GET /v1/models = %d %q; want 200 /base/models", status, body)
	}
	distrusting := startProxy(t, upstream.URL, "")
	if status, body := send(t, "GET", distrusting.url+"/v1/models", "", nil); status != 502 || !strings.Contains(body, "certificate") {
		t.Errorf("without the CA = %d %q; want 502 and why", status, body)
	}
}

func TestOutboundProxy(t *testing.T) {
	var asked atomic.Value
	outbound := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.String() + " " + r.Header.Get("Proxy-Authorization"))
	}))
	defer outbound.Close()
	// What the environment says is not followed.
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	with := strings.Replace(outbound.URL, "http://", "http://user:secret@", 1)
	p := startProxy(t, "http://upstream.example/v1", "[upstream]\nproxy = "+strconv.Quote(with)+"\n")
	send(t, "GET", p.url+"/v1/models", "", nil)
	if got, want := asked.Load(), "http://upstream.example/v1/models Basic dXNlcjpzZWNyZXQ="; got != want {
		t.Errorf("the outbound proxy was asked for %v; want %s", got, want)
	}
}

// TestLoopIsRefused has an upstream that leads back to the listener. Plain loops are refused with the configuration; what a
// name leads to shows only when it is dialed.
func TestLoopIsRefused(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Upstream.BaseURL = "http://" + listener.Addr().String() + "/v1"
	service, err := newService(&cfg, slog.New(slog.DiscardHandler), listener.Addr())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- service.run(ctx, listener) }()
	status, body := send(t, "POST", cfg.Upstream.BaseURL+"/responses", "{}", nil)
	if status != http.StatusLoopDetected || !strings.Contains(body, "loop") {
		t.Errorf("POST = %d %q; want 508 and why", status, body)
	}
	if _, metrics := send(t, "GET", "http://"+listener.Addr().String()+"/metrics", "", nil); !strings.Contains(metrics, "\ncodex_proxy_loops_total 1\n") {
		t.Error("the loop was not counted")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("run() = %v; want nil", err)
	}
}

func TestH2CClient(t *testing.T) {
	model := responsestest.NewServer(t)
	events := []responsestest.Event{responsestest.Created("r1"), responsestest.TextDelta("hi"), responsestest.Completed("r1")}
	const streams = 20
	model.Any(responsestest.Stream(events...)).Times(streams)
	p := startProxy(t, model.BaseURL(), "")
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}, Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	errs := make(chan string, streams)
	for range streams {
		go func() {
			res, err := client.Post(p.url+"/v1/responses", "application/json", strings.NewReader(`{"stream":true}`))
			if err != nil {
				errs <- err.Error()
				return
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			switch {
			case err != nil:
				errs <- err.Error()
			case res.Proto != "HTTP/2.0" || !bytes.Equal(body, responsestest.SSE(events...)):
				errs <- res.Proto + " " + string(body)
			default:
				errs <- ""
			}
		}()
	}
	for range streams {
		if got := <-errs; got != "" {
			t.Errorf("POST over h2c = %s; want the stream over HTTP/2.0", got)
		}
	}
}

// TestOwnRoutesStayHere asks for the proxy's own routes in ways they do not have: none may reach the upstream.
func TestOwnRoutesStayHere(t *testing.T) {
	model := responsestest.NewServer(t)
	p := startProxy(t, model.BaseURL(), "")
	for _, path := range []string{"/healthz", "/health%7A", "/readyz", "/metrics", report.EventsPath, report.OpenAPIPath, "/codex-proxy/v1/live"} {
		for _, method := range []string{"PUT", "DELETE", "PROPFIND", "OPTIONS"} {
			if status, body := send(t, method, p.url+path, "", nil); status != 405 && status != 404 {
				t.Errorf("%s %s = %d %s; want 405 or 404", method, path, status, body)
			}
		}
	}
	if status, body := send(t, "HEAD", p.url+"/healthz", "", nil); status != 200 || body != "" {
		t.Errorf("HEAD /healthz = %d %q; want 200 and no body", status, body)
	}
	if status, body := send(t, "CONNECT", p.url, "", nil); status != 405 || !strings.Contains(body, "base URL") {
		t.Errorf("CONNECT = %d %s; want 405 and what to do", status, body)
	}
	if got := model.OtherRequests(); len(got) != 0 {
		t.Errorf("upstream got %v; want nothing", got)
	}
}
