package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/codexcli"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// TestProxyEqualsNativeOverWebSocket is the same where the CLI asks over a WebSocket, with compression as it offers it.
func TestProxyEqualsNativeOverWebSocket(t *testing.T) {
	added := additions(t)
	for _, cli := range clis(t) {
		if cli.Version == codexcli.Oldest {
			continue // knows no WebSocket
		}
		for _, scenario := range socketScenarios(cli) {
			t.Run(cli.Version+" "+scenario.name, func(t *testing.T) {
				for _, mode := range []responsestest.WebSocket{responsestest.WebSocketPlain, responsestest.WebSocketDeflate} {
					want, got := throughSocket(t, cli, scenario, mode)
					compare(t, want, got, added)
				}
			})
		}
	}
}

// socketScenarios are answers over a WebSocket. A warm-up comes before them.
func socketScenarios(cli codexcli.CLI) []scenario {
	begun := responsestest.Created("r1")
	return []scenario{
		{name: "simple"},
		tools(cli),
		{name: "failed", responses: []responsestest.Response{
			responsestest.Stream(begun, responsestest.Failed("r1", "server_error", "we failed")),
		}},
		{name: "cut", responses: []responsestest.Response{{Events: []responsestest.Event{begun}, Abort: responsestest.AbortStream}}},
		{name: "incomplete", fails: true, responses: []responsestest.Response{
			responsestest.Stream(begun, responsestest.Incomplete("r1", "max_output_tokens")),
		}},
		{name: "error message", responses: []responsestest.Response{
			responsestest.Error(http.StatusInternalServerError, "server_error", "", "we failed"),
		}},
		{name: "refused", fails: true, responses: []responsestest.Response{
			responsestest.Error(http.StatusTooManyRequests, "rate_limit_error", "rate_limit_exceeded", "we failed"),
		}},
	}
}

// throughSocket runs the CLI through the proxy, with WebSocket.
func throughSocket(t *testing.T, cli codexcli.CLI, scenario scenario, mode responsestest.WebSocket) (native, ours []receiver.Record) {
	t.Helper()
	upstream, err := responsestest.Start(responsestest.Options{TB: t, WebSocket: mode})
	if err != nil {
		t.Fatal(err)
	}
	for i := range scenario.responses {
		upstream.Once(scenario.responses[i])
	}
	upstream.Any(done)
	agent, proxied := receiver.Start(t, receiver.Options{}), receiver.Start(t, receiver.Options{})
	copied := codexcli.Config{Exporter: codexcli.HTTPExporter(proxied.HTTPEndpoint(), "json")}
	running := serve(t, upstream.BaseURL(), strings.Replace(copied.OTelTable(), "[otel]\n", "[otel]\nschema = \"codex\"\n", 1))
	run := cli.Exec(t, &codexcli.Config{
		Exporter:     codexcli.HTTPExporter(agent.HTTPEndpoint(), "binary"),
		ExportAtOnce: true,
		BaseURL:      running.url + "/v1",
		Retries:      3,
		WebSockets:   true,
	}, "say hello")
	running.stop()
	if run.ExitCode != 0 && !scenario.fails {
		t.Errorf("exit code %d; want 0\n%s", run.ExitCode, run.Stderr)
	}
	return overSocket(agent.Sink.Records()), overSocket(proxied.Sink.Records())
}

// overSocket picks what both record of a connection and of what comes over it.
func overSocket(records []receiver.Record) []receiver.Record {
	var picked []receiver.Record
	for i := range records {
		switch records[i].Name() {
		case "codex.websocket_connect", "codex.websocket_request", "codex.sse_event", "codex.api_request":
			picked = append(picked, records[i])
		}
	}
	return picked
}
