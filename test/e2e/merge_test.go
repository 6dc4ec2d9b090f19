package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/codexcli"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// twoCalls answers a prompt with two calls of the shell, then with a text.
func twoCalls(cli codexcli.CLI) []responsestest.Response {
	tool, first, second := "exec_command", `{"cmd":"echo one"}`, `{"cmd":"false"}`
	if cli.Version == codexcli.Oldest {
		tool, first, second = "shell", `{"command":["echo","one"]}`, `{"command":["false"]}`
	}
	usage := responsestest.Usage{Input: 100, Output: 10, Total: 110}
	return []responsestest.Response{
		responsestest.Stream(
			responsestest.Created("resp_1"), responsestest.FunctionCall("call_1", tool, first),
			responsestest.FunctionCall("call_2", tool, second), responsestest.CompletedWithTokens("resp_1", usage),
		),
		responsestest.Stream(
			responsestest.Created("resp_2"), responsestest.Message("msg_1", "Hello"), responsestest.CompletedWithTokens("resp_2", usage),
		),
	}
}

// told counts records by their event and who told it; the kinds of stream events are left out.
func told(records []receiver.Record) map[string]int {
	counts := make(map[string]int)
	for i := range records {
		source, _ := records[i].Attrs["telemetry.source"].(string)
		counts[records[i].Name()+" "+source]++
	}
	return counts
}

// TestRealExportMerges has a real CLI talk through the proxy and export its own telemetry to it, and wants each fact once: what
// both told as one record, what only the proxy or only Codex can tell from them alone.
func TestRealExportMerges(t *testing.T) {
	for _, cli := range clis(t) {
		for _, protocol := range []string{"binary", "json"} {
			t.Run(cli.Version+" "+protocol, func(t *testing.T) {
				collector := receiver.Start(t, receiver.Options{})
				model := responsestest.NewServer(t)
				model.Sequence(twoCalls(cli)...)
				p := serve(t, model.BaseURL(), ways()[0].table(collector, exporter{}))
				cfg := &codexcli.Config{
					BaseURL: p.url + "/v1", Exporter: codexcli.HTTPExporter(p.url+"/codex-proxy/v1/logs", protocol),
				}
				if run := cli.Exec(t, cfg, "say hello, wörld"); run.ExitCode != 0 || strings.TrimSpace(run.Stdout) != "Hello" {
					t.Fatalf("exit code %d, stdout %q; want 0, Hello\n%s", run.ExitCode, run.Stdout, run.Stderr)
				}
				p.stop()
				records := collector.Sink.Records()
				counts := told(records)
				want := map[string]int{
					"codex.conversation_starts both": 1, "codex.user_prompt both": 1, "codex.tool_decision both": 2, "codex.tool_result both": 2,
					"codex.api_request wire": 2, "codex.sse_event wire": counts["codex.sse_event wire"],
				}
				if cli.Version != codexcli.Oldest {
					for _, alone := range []string{"codex.startup_phase agent", "codex.turn_ttft agent"} {
						if want[alone] = counts[alone]; counts[alone] == 0 {
							t.Errorf("no %s arrived", alone)
						}
					}
				}
				if diff := cmp.Diff(want, counts); diff != "" {
					t.Errorf("records (-want +got):\n%s", diff)
				}
				checkMerged(t, records)
			})
		}
	}
}

// checkMerged checks what only both together can tell.
func checkMerged(t *testing.T, records []receiver.Record) {
	t.Helper()
	tokens := int64(0)
	for i := range records {
		attrs := records[i].Attrs
		if count, ok := attrs["input_token_count"].(int64); ok {
			tokens += count
		}
		if attrs["telemetry.source"] != "both" {
			continue
		}
		if attrs["response.id"] == nil && attrs["conversation.id"] == nil {
			t.Errorf("%s has no conversation", records[i].Name())
		}
		switch records[i].Name() {
		case "codex.conversation_starts":
			if attrs["provider_name"] != "mock" {
				t.Errorf("provider_name = %v; want what only Codex knows", attrs["provider_name"])
			}
		case "codex.user_prompt":
			// Codex told it without its words, and the proxy redacts those that it saw.
			if attrs["prompt"] != "[REDACTED]" || attrs["prompt_length"] != int64(16) {
				t.Errorf("prompt %v of %v characters; want it redacted, 16", attrs["prompt"], attrs["prompt_length"])
			}
		case "codex.tool_decision":
			if attrs["decision"] != "approved" || attrs["source"] != "config" {
				t.Errorf("%v by %v; want approved by config", attrs["decision"], attrs["source"])
			}
		case "codex.tool_result":
			if output, _ := attrs["output"].(string); output == "" || attrs["arguments"] == nil {
				t.Errorf("result %v; want its arguments and output", attrs)
			}
		}
		if differ := attrs["telemetry.disagreement"]; differ != nil {
			t.Errorf("%s: disagreement on %v; want none", records[i].Name(), differ)
		}
	}
	if tokens != 200 {
		t.Errorf("%d input tokens; want 200, each once", tokens)
	}
}

// TestHooksReport runs the sample of docs/hooks.json in the newest CLI, whose own telemetry is off, and wants the source of
// the approvals, which the traffic does not show.
func TestHooksReport(t *testing.T) {
	cli, err := codexcli.Install(t.Context(), codexcli.Newest)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := static()
	if err != nil {
		t.Fatal(err)
	}
	sample, err := os.ReadFile(filepath.Join("..", "..", "docs", "hooks.json"))
	if err != nil {
		t.Fatal(err)
	}
	collector := receiver.Start(t, receiver.Options{})
	model := responsestest.NewServer(t)
	model.Sequence(twoCalls(cli)...)
	p := serve(t, model.BaseURL(), ways()[0].table(collector, exporter{}))

	home := t.TempDir()
	// The sample names neither a path nor a port.
	command := "report --codex-hook"
	hooks := strings.ReplaceAll(string(sample), "codex-proxy "+command, binary+" "+command+" --url "+p.url)
	if strings.Contains(hooks, "\"codex-proxy ") {
		t.Fatalf("docs/hooks.json has other commands than %s", command)
	}
	config := "model = \"gpt-5-codex\"\nmodel_provider = \"mock\"\napproval_policy = \"never\"\nsandbox_mode = \"danger-full-access\"\n" +
		"[model_providers.mock]\nname = \"mock\"\nbase_url = \"" + p.url + "/v1\"\nenv_key = \"MOCK_API_KEY\"\nwire_api = \"responses\"\n" +
		"[analytics]\nenabled = false\n[features]\napps = false\nplugins = false\n"
	for name, text := range map[string]string{"hooks.json": hooks, "config.toml": config} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.CommandContext(t.Context(), cli.Path, "exec", "--skip-git-repo-check", "--dangerously-bypass-hook-trust", "say hello")
	run.Dir = t.TempDir()
	run.Env = []string{
		"HOME=" + home, "CODEX_HOME=" + home, "PATH=" + os.Getenv("PATH"), "SHELL=/bin/sh", "TERM=xterm", "LANG=C.UTF-8", "MOCK_API_KEY=sk-test",
		"HTTPS_PROXY=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1", "NO_PROXY=127.0.0.1,localhost",
	}
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("run codex: %v\n%s", err, out)
	}
	p.stop()
	records := collector.Sink.Records()
	counts := told(records)
	want := map[string]int{
		"codex.conversation_starts both": 1, "codex.user_prompt both": 1, "codex.tool_decision both": 2, "codex.tool_result wire": 2,
		"codex.api_request wire": counts["codex.api_request wire"], "codex.sse_event wire": counts["codex.sse_event wire"],
	}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("records (-want +got):\n%s\n%s", diff, out)
	}
	for _, decision := range receiver.Named(records, "codex.tool_decision") {
		if decision.Attrs["decision"] != "approved" || decision.Attrs["source"] != "config" || decision.Attrs["tool_name"] != "exec_command" ||
			decision.Attrs["telemetry.disagreement"] != nil {
			t.Errorf("decision = %v; want exec_command approved by config", decision.Attrs)
		}
	}
}
