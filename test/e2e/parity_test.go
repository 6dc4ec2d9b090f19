package e2e_test

import (
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/codexcli"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// TestProxyEqualsNative runs each CLI with its own telemetry on through the proxy and holds what the proxy exports against
// what the CLI exports, record by record and attribute by attribute.
func TestProxyEqualsNative(t *testing.T) {
	added := additions(t)
	for _, cli := range clis(t) {
		for _, scenario := range scenarios(t, cli) {
			t.Run(cli.Version+" "+scenario.name, func(t *testing.T) {
				want, got := bothTell(t, cli, scenario)
				compare(t, want, got, added)
			})
		}
	}
}

// maxRuns bounds how often a CLI is run that gives up and loses the last of its telemetry.
const maxRuns = 30

// bothTell returns what the CLI and the proxy tell of a scenario.
func bothTell(t *testing.T, cli codexcli.CLI, scenario scenario) (native, ours []receiver.Record) {
	t.Helper()
	for range maxRuns {
		var exitCode int
		native, ours, exitCode = through(t, cli, scenario)
		switch {
		case exitCode != 0 && !scenario.fails:
			t.Fatalf("exit code %d; want 0", exitCode)
		case exitCode == 0 || len(native) >= len(ours):
			return native, ours
		}
	}
	t.Logf("codex %s lost telemetry in each of %d runs", cli.Version, maxRuns)
	return native, ours
}

// through runs the CLI through the proxy.
func through(t *testing.T, cli codexcli.CLI, scenario scenario) (native, ours []receiver.Record, exitCode int) {
	t.Helper()
	upstream := responsestest.NewServer(t)
	for i := range scenario.responses {
		upstream.Once(scenario.responses[i])
	}
	upstream.Any(done)
	agent, proxied := receiver.Start(t, receiver.Options{}), receiver.Start(t, receiver.Options{})
	copied := codexcli.Config{Exporter: codexcli.HTTPExporter(proxied.HTTPEndpoint(), "json")}
	running := serve(t, upstream.BaseURL(), strings.Replace(copied.OTelTable(), "[otel]\n", "[otel]\nschema = \"codex\"\n", 1))
	run := cli.Exec(t, &codexcli.Config{
		Exporter:     codexcli.HTTPExporter(agent.HTTPEndpoint(), "binary"),
		ExportAtOnce: scenario.fails,
		BaseURL:      running.url + "/v1",
		Retries:      3,
	}, "say hello")
	running.stop()
	if t.Failed() {
		t.Log(run.Stderr)
	}
	return traffic(agent.Sink.Records()), traffic(proxied.Sink.Records()), run.ExitCode
}

// traffic picks what both record: requests and stream events.
func traffic(records []receiver.Record) []receiver.Record {
	var picked []receiver.Record
	for i := range records {
		if name := records[i].Name(); name == "codex.api_request" || name == "codex.sse_event" {
			picked = append(picked, records[i])
		}
	}
	return picked
}
