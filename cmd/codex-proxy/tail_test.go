package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/console"
	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// lineWriter hands out what is written to it.
type lineWriter struct{ lines chan string }

func (w lineWriter) Write(p []byte) (int, error) {
	w.lines <- string(p)
	return len(p), nil
}

func TestTail(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"text": {nil, "prompt"},
		"json": {[]string{"--json", "--event", "user_prompt", "--conversation", "c1"}, `"event.name":"codex.user_prompt"`},
	} {
		t.Run(name, func(t *testing.T) {
			p := startProxy(t, responsestest.NewServer(t).BaseURL(), "")
			// The ring gives a reader that comes later nothing of what was before, so the report is repeated until it is seen.
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			out, code := lineWriter{make(chan string, 100)}, make(chan int, 1)
			var stderr bytes.Buffer
			go func() { code <- run(ctx, append([]string{"tail", "--url", p.url}, test.args...), nil, out, &stderr) }()
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			var printed strings.Builder
			for !strings.Contains(printed.String(), test.want) {
				select {
				case <-tick.C:
					send(t, "POST", p.url+report.EventsPath, promptReport, nil)
				case line := <-out.lines:
					printed.WriteString(line)
				case <-ctx.Done():
					t.Fatalf("tail printed %q; want %s", printed.String(), test.want)
				}
			}
			if strings.Contains(printed.String(), "hello") {
				t.Errorf("tail printed %q; want the prompt redacted", printed.String())
			}
			cancel()
			if got := <-code; got != 0 {
				t.Errorf("tail exited with %d, %s; want 0", got, stderr.String())
			}
			p.stop()
		})
	}
}

func TestFeedStateIsToldOnce(t *testing.T) {
	var stderr bytes.Buffer
	state := &feedState{app: &app{stderr: &stderr}, url: "http://p"}
	for _, c := range []console.Connection{
		console.Connecting, console.Lost, console.Connecting, console.Lost, console.Connecting, console.Connected, console.Lost,
	} {
		state.tell(console.State{Connection: c})
	}
	lost := "codex-proxy: feed lost: the proxy ended the feed; trying again\n"
	if want := lost + "codex-proxy: following http://p\n" + lost; stderr.String() != want {
		t.Errorf("told %q; want %q", stderr.String(), want)
	}
}

func TestConfigShow(t *testing.T) {
	t.Setenv("CODEX_PROXY_OTEL_ENVIRONMENT", "staging")
	t.Setenv("TOKEN", "s3cret")
	var stdout bytes.Buffer
	file := writeConfig(t, "[otel]\nexporter = { otlp-http = { endpoint = \"https://o.example/v1/logs\", protocol = \"json\", headers = { \"X-Api-Key\" = \"${TOKEN}\" } } }\n")
	if code := run(t.Context(), []string{"config", "show", file}, nil, &stdout, io.Discard); code != 0 {
		t.Fatalf("exit code = %d; want 0", code)
	}
	for _, want := range []string{`listen = "127.0.0.1:8787"`, `environment = "staging"`, "X-Api-Key"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("config show printed\n%s\nwant %s in it", stdout.String(), want)
		}
	}
	if strings.Contains(stdout.String(), "s3cret") {
		t.Error("config show printed a secret")
	}
}
