package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/internal/console"
	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/statedir"
)

// served is a proxy that runs.
type served struct {
	url  string
	stop func() int    // shuts down and returns the exit code
	log  func() string // what it wrote to standard error; only after stop
}

// writeConfig returns a configuration file with that text.
func writeConfig(t *testing.T, toml string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(file, []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// startProxy serves with a configuration on a free port.
func startProxy(t *testing.T, upstream, toml string) served {
	t.Helper()
	file := writeConfig(t, toml)
	if !strings.Contains(toml, "[store]") {
		t.Setenv("CODEX_PROXY_STORE_DIR", "memory")
	}
	ctx, cancel := context.WithCancel(context.Background())
	addrs, code := make(chan net.Addr, 1), make(chan int, 1)
	var stderr bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: &stderr, onListen: func(addr net.Addr) { addrs <- addr }}
	go func() {
		code <- a.run(ctx, []string{"serve", "--config", file, "--listen", "127.0.0.1:0", "--upstream", upstream})
	}()
	t.Cleanup(cancel)
	select {
	case addr := <-addrs:
		p := served{url: "http://" + addr.String(), log: stderr.String}
		p.stop = func() int {
			end := statedir.End{Dir: statedir.In(toml)}
			if end.Dir != "" {
				_, ledger := send(t, "GET", p.url+ledgerPath, "", nil)
				end.Ledger = []byte(ledger)
			}
			cancel()
			c := <-code
			end.Log = stderr.String()
			for _, problem := range end.Problems(context.WithoutCancel(t.Context())) {
				t.Error(problem)
			}
			return c
		}
		return p
	case c := <-code:
		t.Fatalf("serve exited with %d: %s", c, stderr.String())
		return served{}
	}
}

// send sends a request and returns the status and the body.
func send(t *testing.T, method, url, body string, change func(*http.Request)) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if change != nil {
		change(req)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(read)
}

const promptReport = `{"event.name":"user_prompt","conversation.id":"c1","prompt":"hello"}`

func TestServe(t *testing.T) {
	model := responsestest.NewServer(t)
	events := []responsestest.Event{responsestest.Created("r1"), responsestest.TextDelta("hi"), responsestest.Completed("r1")}
	model.Once(responsestest.Stream(events...))
	model.Route("PROPFIND", "/v1/files", responsestest.JSON(http.StatusMultiStatus, "dav"))
	model.Route("OPTIONS", "/v1/files", responsestest.Response{Status: http.StatusNoContent})
	var posts, told atomic.Int64
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("X-Key") == "k" {
			posts.Add(int64(bytes.Count(body, []byte("codex.user_prompt"))))
		}
		told.Add(int64(bytes.Count(body, []byte("hello"))))
	}))
	defer sink.Close()
	p := startProxy(t, model.BaseURL(), "[otel]\nexporter = { otlp-http = { endpoint = \""+sink.URL+
		"/logs\", protocol = \"json\", headers = { \"X-Key\" = \"k\" } } }\n")

	_, got := send(t, "POST", p.url+"/v1/responses", `{"model":"m","stream":true}`, nil)
	if diff := cmp.Diff(string(responsestest.SSE(events...)), got); diff != "" {
		t.Errorf("forwarded stream (-want +got):\n%s", diff)
	}
	foreign := func(r *http.Request) { r.Host = "evil.example" }
	page := func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }
	for _, tt := range []struct {
		method, path, body string
		change             func(*http.Request)
		want               int
	}{
		{"GET", "/healthz", "", nil, 200},
		{"GET", "/healthz", "", foreign, 200},
		{"GET", "/readyz", "", nil, 200},
		{"GET", "/metrics", "", nil, 200},
		{"GET", "/metrics", "", foreign, 403},
		{"POST", "/v1/responses", "{}", foreign, 403},
		{"POST", "/v1/responses", "{}", page, 403},
		{"PROPFIND", "/v1/files", "", nil, http.StatusMultiStatus},
		{"OPTIONS", "/v1/files", "", nil, http.StatusNoContent},
		{"PROPFIND", "/v1/files", "", page, 403},
		{"POST", report.EventsPath, promptReport, nil, 202},
		{"POST", report.EventsPath, promptReport, page, 403},
		{"GET", report.OpenAPIPath, "", nil, 200},
		{"GET", "/codex-proxy/v1/other", "", nil, 404},
		{"PROPFIND", report.EventsPath, "", nil, 404},
	} {
		if got, body := send(t, tt.method, p.url+tt.path, tt.body, tt.change); got != tt.want {
			t.Errorf("%s %s = %d; want %d: %s", tt.method, tt.path, got, tt.want, body)
		}
	}
	for _, r := range model.OtherRequests() {
		if strings.HasPrefix(r.Path, ownPrefix) {
			t.Errorf("upstream got %s %s; want own routes never forwarded", r.Method, r.Path)
		}
	}
	// A container's probe knows the address, and not the file that allows it.
	t.Setenv("CODEX_PROXY_LISTEN", strings.Replace(strings.TrimPrefix(p.url, "http://"), "127.0.0.1", "0.0.0.0", 1))
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"health"}, nil, io.Discard, &stderr); code != 0 {
		t.Errorf("health exited with %d, %s; want 0", code, stderr.String())
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code = %d; want 0", code)
	}
	if posts.Load() == 0 {
		t.Error("the collector got no user_prompt with the exporter's header; want it flushed at shutdown")
	}
	if told.Load() != 0 {
		t.Error("the collector got the words of a prompt; want them redacted")
	}
}

func TestLiveFeed(t *testing.T) {
	p := startProxy(t, responsestest.NewServer(t).BaseURL(), "")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var got string
	err := console.Follow(ctx, console.FollowConfig{
		URL: p.url,
		OnState: func(s console.State) {
			if s.Connection == console.Connected {
				send(t, "POST", p.url+report.EventsPath, promptReport, nil)
			}
		},
		OnEvent: func(e console.Event) { got = e.Name; cancel() },
	})
	if err != nil || got != "codex.user_prompt" {
		t.Errorf("Follow() = %v with event %q; want codex.user_prompt", err, got)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code = %d; want 0", code)
	}
}

func TestDemo(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--json"}, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("demo exited with %d: %s", code, stderr.String())
	}
	for _, want := range []string{"codex.user_prompt", "codex.tool_decision", "codex.tool_result", "response.completed"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("demo printed no %s", want)
		}
	}
}

func TestConfigCheck(t *testing.T) {
	file := writeConfig(t, "listen = \"nowhere\"\nunknown = 1\n[otel]\nschema = \"odd\"\n")
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"config", "check", file}, nil, io.Discard, &stderr); code != exitUsage {
		t.Errorf("exit code = %d; want %d", code, exitUsage)
	}
	for _, want := range []string{"listen: ", "unknown: ", "otel.schema: "} {
		if !strings.Contains(stderr.String(), "codex-proxy: "+want) {
			t.Errorf("stderr = %q; want a line about %q", stderr.String(), want)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	for _, args := range [][]string{{"config"}, {"config", "foo"}, {"config", "check"}, {"foo"}, {"tail", "x"}, {"--foo"}} {
		var stderr bytes.Buffer
		if code := run(t.Context(), args, nil, io.Discard, &stderr); code != exitUsage || stderr.Len() == 0 {
			t.Errorf("%q exited with %d and said %q; want %d and why", args, code, stderr.String(), exitUsage)
		}
	}
}

func TestListenFailure(t *testing.T) {
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	var stderr bytes.Buffer
	code := run(t.Context(), []string{"--listen", taken.Listener.Addr().String()}, nil, io.Discard, &stderr)
	if code != exitFailure || !strings.Contains(stderr.String(), "listen on ") {
		t.Errorf("exit code = %d, stderr = %q; want %d and the reason", code, stderr.String(), exitFailure)
	}
}
