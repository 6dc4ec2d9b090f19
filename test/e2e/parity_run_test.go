package e2e_test

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/codexcli"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// The transports.
const (
	overHTTP    = "http"
	overSocket  = "websocket"
	overDeflate = "websocket+deflate"
)

// ran is what a CLI and the proxy tell of a scenario, and how that went.
type ran struct {
	codex, proxy []receiver.Record
	failed       bool
	upgraded     bool // the CLI has asked for a WebSocket
	stderr       string
	requests     []*responsestest.Request
}

// maxRuns bounds how often a CLI is run that gives up and loses the last of its telemetry.
const maxRuns = 6

// bothTell runs the scenario until the CLI has told as much as the proxy, or has failed to do so often enough.
func bothTell(t *testing.T, cli codexcli.CLI, transport string, s *scenario) ran {
	t.Helper()
	var best ran
	for range maxRuns {
		r := through(t, cli, transport, s)
		switch {
		case r.failed && !s.fails:
			t.Fatalf("codex %s fails\n%s", cli.Version, clipped(r.stderr))
		case !r.failed || len(r.codex) >= len(r.proxy):
			return r
		case len(r.codex) > len(best.codex):
			best = r
		}
	}
	return best
}

// through runs the CLI through the proxy, which is told nothing but what is on the wire.
func through(t *testing.T, cli codexcli.CLI, transport string, s *scenario) ran {
	t.Helper()
	modes := map[string]responsestest.WebSocket{
		overHTTP: responsestest.WebSocketRefused, overSocket: responsestest.WebSocketPlain, overDeflate: responsestest.WebSocketDeflate,
	}
	upstream, err := responsestest.Start(responsestest.Options{TB: t, WebSocket: modes[transport]})
	if err != nil {
		t.Fatal(err)
	}
	s.mount(upstream)
	agent, proxied := receiver.Start(t, receiver.Options{}), receiver.Start(t, receiver.Options{})
	copied := codexcli.Config{Exporter: codexcli.HTTPExporter(proxied.HTTPEndpoint(), "json"), LogUserPrompt: true}
	running := serve(t, upstream.BaseURL(), strings.Replace(copied.OTelTable(), "[otel]\n", "[otel]\nschema = \"codex\"\n", 1))
	home := codexcli.NewHome(t)
	var r ran
	for i, prompt := range prompts(s) {
		cfg := &codexcli.Config{
			Exporter:      codexcli.HTTPExporter(agent.HTTPEndpoint(), "binary"),
			LogUserPrompt: true,
			ExportAtOnce:  true,
			BaseURL:       running.url + "/v1",
			Retries:       3,
			WebSockets:    transport != overHTTP,
			Home:          home,
		}
		if s.setup != nil {
			s.setup(cfg)
		}
		if i > 0 {
			id, err := home.Conversation()
			if err != nil {
				t.Fatal(err)
			}
			cfg.Args = append(cfg.Args, "resume", id)
		}
		run := cli.Exec(t, cfg, prompt)
		r.failed = r.failed || run.ExitCode != 0
		r.stderr = cmp.Or(r.stderr, run.Stderr)
	}
	running.stop()
	r.requests = upstream.Requests()
	r.upgraded = len(upstream.Upgrades()) > 0
	r.codex, r.proxy = agent.Sink.Records(), proxied.Sink.Records()
	return r
}

// unasked returns which attributes of a conversation no request shows.
func unasked(requests []*responsestest.Request) map[string]bool {
	missing := map[string]bool{"reasoning_effort": true, "reasoning_summary": true}
	for _, request := range requests {
		var body struct {
			Reasoning struct{ Effort, Summary string }
		}
		if err := json.Unmarshal(request.Body, &body); err != nil {
			continue // what no model could read
		}
		missing["reasoning_effort"] = missing["reasoning_effort"] && body.Reasoning.Effort == ""
		missing["reasoning_summary"] = missing["reasoning_summary"] && body.Reasoning.Summary == ""
	}
	return missing
}

func prompts(s *scenario) []string {
	if len(s.prompts) > 0 {
		return slices.Clone(s.prompts)
	}
	return []string{"say hello"}
}

// clipped bounds a message.
func clipped(text string) string {
	const most = 8 << 10
	if len(text) > most {
		return text[:most/2] + "\n...\n" + text[len(text)-most/2:]
	}
	return text
}
