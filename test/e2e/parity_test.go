package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/codexcli"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// TestProxyEqualsNative runs each CLI with its own telemetry on through the proxy and holds what the proxy exports against
// what the CLI exports, record by record and attribute by attribute.
func TestProxyEqualsNative(t *testing.T) {
	done := responsestest.Stream(
		responsestest.Created("resp_1"),
		responsestest.Message("msg_1", "Hello"),
		responsestest.CompletedWithTokens("resp_1", responsestest.Usage{Input: 1200, Cached: 1024, Output: 42, Reasoning: 10, Total: 1242}),
	)
	scenarios := map[string][]responsestest.Response{
		"simple": {done},
		"retry":  {responsestest.Error(500, "server_error", "", "no"), responsestest.Error(503, "server_error", "", "no"), done},
		"failed": {responsestest.Stream(responsestest.Created("r1"), responsestest.Failed("r1", "server_error", "we failed")), done},
		"cut":    {{Events: []responsestest.Event{responsestest.Created("r1")}, Abort: responsestest.AbortStream}, done},
	}
	binary := build(t)
	for _, cli := range clis(t) {
		for name, responses := range scenarios {
			t.Run(cli.Version+" "+name, func(t *testing.T) {
				upstream := responsestest.NewServer(t)
				upstream.Sequence(responses...)
				native, ours := receiver.Start(t, receiver.Options{}), receiver.Start(t, receiver.Options{})
				copied := codexcli.Config{Exporter: codexcli.HTTPExporter(ours.HTTPEndpoint(), "json")}
				base, stop := serve(t, binary, upstream.BaseURL(), copied.OTelTable())
				cfg := &codexcli.Config{Exporter: codexcli.HTTPExporter(native.HTTPEndpoint(), "binary"), BaseURL: base + "/v1", Retries: 3}
				run := cli.Exec(t, cfg, "say hello")
				if run.ExitCode != 0 {
					t.Fatalf("exit code %d\n%s", run.ExitCode, run.Stderr)
				}
				stop()
				want, got := traffic(native.Sink.Records()), traffic(ours.Sink.Records())
				for i := range min(len(want), len(got)) {
					for key := range got[i] {
						if _, ok := want[i][key]; !ok {
							delete(got[i], key)
						}
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("records (-Codex +proxy):\n%s", diff)
				}
			})
		}
	}
}

// traffic picks what both record: requests and stream events, without what only the agent can know (its environment) and
// what two clocks tell differently.
func traffic(records []receiver.Record) []map[string]any {
	var picked []map[string]any
	for i := range records {
		name, _ := records[i].Attrs["event.name"].(string)
		if name != "codex.api_request" && name != "codex.sse_event" {
			continue
		}
		attrs := map[string]any{}
		for key, value := range records[i].Attrs {
			switch {
			case key == "event.timestamp", strings.HasPrefix(key, "auth.env_"):
			case key == "duration_ms", key == "ttft_ms":
				attrs[key] = fmt.Sprintf("%T", value)
			default:
				attrs[key] = value
			}
		}
		picked = append(picked, attrs)
	}
	return picked
}

// build builds the proxy.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "codex-proxy")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/codex-proxy")
	command.Dir = "../.."
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// serve runs the proxy with an [otel] table as a CLI has it. stop ends it with SIGTERM and wants exit code 0.
func serve(t *testing.T, binary, upstream, otel string) (base string, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	file := filepath.Join(t.TempDir(), "config.toml")
	text := "listen = " + strconv.Quote(address) + "\n[upstream]\nbase_url = " + strconv.Quote(upstream) + "\n" +
		strings.Replace(otel, "[otel]\n", "[otel]\nschema = \"codex\"\n", 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	command := exec.Command(binary, "serve", "--config", file)
	command.Stderr = &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		_ = command.Process.Signal(syscall.SIGTERM)
		if err := command.Wait(); err != nil {
			t.Errorf("proxy ended with %v\n%s", err, log.String())
		}
	}
	t.Cleanup(stop)
	ready(t, "http://"+address+"/readyz")
	return "http://" + address, stop
}

// ready waits until target answers 200.
func ready(t *testing.T, target string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := new(http.Client).Do(request)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("proxy is not ready: %v", err)
		case <-tick.C:
		}
	}
}
