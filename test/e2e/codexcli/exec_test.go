package codexcli

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakeCLI is a shell script in place of the CLI.
func fakeCLI(t *testing.T, script string) CLI {
	t.Helper()
	path := filepath.Join(t.TempDir(), "codex")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	return CLI{Version: "0.0.0", Path: path}
}

func TestExecIsolates(t *testing.T) {
	cli := fakeCLI(t, `cat "$CODEX_HOME/config.toml"; env; pwd; echo "$@"; cat; echo complaint >&2; exit 3`)
	t.Setenv("OPENAI_API_KEY", "sk-real")
	cfg := &Config{
		BaseURL:  "http://127.0.0.1:1/v1",
		Exporter: GRPCExporter("http://127.0.0.1:4317"),
		Env:      []string{"EXTRA=value"},

		ExportAtOnce: true,
	}
	cfg.Exporter.Headers = map[string]string{"x-otlp-meta": "abc123", "A": `"`}
	got := cli.Exec(t, cfg, "a prompt")
	if got.ExitCode != 3 || got.Stderr != "complaint\n" {
		t.Errorf("exit code %d, stderr %q; want 3, %q", got.ExitCode, got.Stderr, "complaint\n")
	}
	lines := strings.Split(got.Stdout, "\n")
	for _, want := range []string{
		`base_url = "http://127.0.0.1:1/v1"`,
		`exporter = { otlp-grpc = { endpoint = "http://127.0.0.1:4317", headers = { "A" = "\"", "x-otlp-meta" = "abc123" } } }`,
		"MOCK_API_KEY=sk-test",
		"EXTRA=value",
		"OTEL_BLRP_SCHEDULE_DELAY=1",
		got.Workspace,
		"exec --skip-git-repo-check -- a prompt",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q in:\n%s", want, got.Stdout)
		}
	}
	if strings.Contains(got.Stdout, "sk-real") {
		t.Error("the environment of the test reached the CLI")
	}
}

func TestExecEndsInTime(t *testing.T) {
	cli := fakeCLI(t, `sleep 60 & sleep 60`)
	start := time.Now()
	_, err := cli.exec(t, &Config{Timeout: 50 * time.Millisecond}, "")
	if err == nil || !strings.Contains(err.Error(), "not ended in 50ms") {
		t.Errorf("exec() error = %v; want one that tells the time given", err)
	}
	// Had the child been spared, its hold on the output would have kept the run for WaitDelay.
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("exec() took %s; want it and its child killed after 50 ms", took)
	}
}

func TestFenceRemembers(t *testing.T) {
	f, err := newFence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	proxy, err := url.Parse(f.URL())
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, target := range []string{"https://one.invalid/", "http://two.invalid/", "https://one.invalid/"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			continue // a refused CONNECT
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("GET %s: status %d; want %d", target, resp.StatusCode, http.StatusForbidden)
		}
	}
	if got, want := f.Contacted(), []string{"one.invalid:443", "two.invalid"}; !slices.Equal(got, want) {
		t.Errorf("Contacted() = %q; want %q", got, want)
	}
}
