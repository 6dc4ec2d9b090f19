package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/codexcli"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// done is a whole answer.
var done = responsestest.Stream(
	responsestest.Created("resp_1"),
	responsestest.Message("msg_1", "Hello"),
	responsestest.CompletedWithTokens("resp_1", responsestest.Usage{Input: 1200, Cached: 1024, Output: 42, Reasoning: 10, Total: 1242}),
)

// TestProxyEqualsNative runs each CLI with its own telemetry on through the proxy and holds what the proxy exports against
// what the CLI exports, record by record and attribute by attribute.
func TestProxyEqualsNative(t *testing.T) {
	scenarios := map[string][]responsestest.Response{
		"simple": {done},
		"retry":  {responsestest.Error(500, "server_error", "", "no"), responsestest.Error(503, "server_error", "", "no"), done},
		"failed": {responsestest.Stream(responsestest.Created("r1"), responsestest.Failed("r1", "server_error", "we failed")), done},
		"cut":    {{Events: []responsestest.Event{responsestest.Created("r1")}, Abort: responsestest.AbortStream}, done},
	}
	for _, cli := range clis(t) {
		for name, responses := range scenarios {
			t.Run(cli.Version+" "+name, func(t *testing.T) {
				upstream := responsestest.NewServer(t)
				upstream.Sequence(responses...)
				native, ours := receiver.Start(t, receiver.Options{}), receiver.Start(t, receiver.Options{})
				copied := codexcli.Config{Exporter: codexcli.HTTPExporter(ours.HTTPEndpoint(), "json")}
				table := strings.Replace(copied.OTelTable(), "[otel]\n", "[otel]\nschema = \"codex\"\n", 1)
				running := serve(t, upstream.BaseURL(), table)
				cfg := &codexcli.Config{
					Exporter: codexcli.HTTPExporter(native.HTTPEndpoint(), "binary"), BaseURL: running.url + "/v1", Retries: 3,
				}
				run := cli.Exec(t, cfg, "say hello")
				if run.ExitCode != 0 {
					t.Fatalf("exit code %d\n%s", run.ExitCode, run.Stderr)
				}
				running.stop()
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
