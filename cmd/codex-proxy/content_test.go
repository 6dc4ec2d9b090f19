package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/internal/redact"
	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// The contents of the talk in tellContents.
const (
	saidPrompt    = "the words of the prompt"
	saidArguments = `{"command":["cat","the words of the arguments"]}`
	saidOutput    = "the words of the output"
)

// tellContents tells the same contents in every way: traffic, reports, exports, merged and alone, and returns what came of it.
func tellContents(t *testing.T, settings string) *sink {
	t.Helper()
	collector := startSink(t)
	model := responsestest.NewServer(t)
	model.Any(responsestest.Stream(responsestest.Created("r"), responsestest.Completed("r")))
	p := startProxy(t, model.BaseURL(), settings+"[otel.exporter.otlp-http]\nendpoint = \""+collector.URL+"\"\nprotocol = \"json\"\n")
	for i, way := range []string{"wire", "merged"} {
		prompt := fmt.Sprintf(`{"type":"message","role":"user","content":[{"type":"input_text","text":%q}]}`, saidPrompt)
		call := fmt.Sprintf(`,{"type":"function_call","name":"shell","call_id":%[1]q,"arguments":%[2]q},{"type":"function_call_output","call_id":%[1]q,"output":%[3]q}`,
			fmt.Sprint("k", i), saidArguments, saidOutput)
		for _, input := range []string{prompt, prompt + call} {
			send(t, "POST", p.url+"/v1/responses", `{"model":"gpt-5","stream":true,"prompt_cache_key":"`+way+`","input":[`+input+`]}`, func(r *http.Request) {
				r.Header.Set("User-Agent", "codex_exec/0.125.0 (Debian 12.0.0; x86_64) xterm")
				r.Header.Set("Session_id", way)
			})
		}
	}
	for i, way := range []string{"merged", "reported"} {
		items := fmt.Sprintf(`[{"event.name":"user_prompt","conversation.id":%[1]q,"prompt":%[2]q},
			{"event.name":"tool_result","conversation.id":%[1]q,"tool_name":"shell","call_id":%[3]q,"arguments":%[4]q,"duration_ms":3,"success":true,"output":%[5]q}]`,
			way, saidPrompt, fmt.Sprint("k", i+1), saidArguments, saidOutput)
		if status, answer := send(t, "POST", p.url+report.EventsPath, items, nil); status != http.StatusAccepted {
			t.Fatalf("report = %d %s", status, answer)
		}
	}
	attribute := func(key, value string) string {
		return fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, key, value)
	}
	record := func(attributes ...string) string {
		return `{"observedTimeUnixNano":"1","severityNumber":9,"attributes":[` + strings.Join(append(attributes, attribute("conversation.id", "exported")), ",") + "]}"
	}
	logs := `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{"name":"codex_otel"},"logRecords":[` + strings.Join([]string{
		record(attribute("event.name", "codex.user_prompt"), attribute("prompt_length", "23"), attribute("prompt", saidPrompt)),
		record(attribute("event.name", "codex.tool_result"), attribute("tool_name", "shell"), attribute("call_id", "k9"), attribute("arguments", saidArguments),
			attribute("duration_ms", "3"), attribute("success", "true"), attribute("output", saidOutput)),
		record(attribute("event.name", "codex.unheard_of"), attribute("prompt", saidPrompt), attribute("arguments", saidArguments), attribute("output", saidOutput)),
	}, ",") + `]}]}]}`
	if status, answer := send(t, "POST", p.url+report.LogsPath, logs, nil); status != http.StatusOK {
		t.Fatalf("export = %d %s", status, answer)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d; want 0", code)
	}
	return collector
}

// TestContentPolicies wants a policy to hold whoever tells of a content, in both schemas.
func TestContentPolicies(t *testing.T) {
	for _, schema := range []string{config.SchemaTyped, config.SchemaCodex} {
		for _, mode := range []string{config.ContentFull, config.ContentRedacted, config.ContentHash, config.ContentOff} {
			t.Run(schema+" "+mode, func(t *testing.T) {
				collector := tellContents(t, "[report]\nmerge_grace = \"1h\"\n[content]\nhash_key = \"0123456789abcdef\"\nprompts = \""+mode+"\"\narguments = \""+mode+
					"\"\noutputs = \""+mode+"\"\n[otel]\nschema = \""+schema+"\"\n")
				told := map[string]string{"prompt": saidPrompt, "arguments": saidArguments, "output": saidOutput}
				seen := map[string]int{}
				hashes := map[string]map[string]bool{}
				for _, name := range []string{"codex.user_prompt", "codex.tool_result", "codex.unheard_of"} {
					for _, attrs := range collector.named(name) {
						for key, text := range told {
							value, has := attrs[key]
							if name != "codex.unheard_of" && has == (name == "codex.user_prompt" != (key == "prompt")) {
								if has || mode != config.ContentOff {
									t.Errorf("%s has %s: %t", name, key, has)
								}
								continue
							}
							if !has {
								if mode != config.ContentOff && name == "codex.unheard_of" {
									t.Errorf("%s of %s is absent", key, name)
								}
								continue
							}
							seen[key]++
							switch mode {
							case config.ContentFull:
								if !strings.Contains(value, text) {
									t.Errorf("%s of %s is %q; want %q", key, name, value, text)
								}
							case config.ContentRedacted:
								if !strings.Contains(value, "[REDACTED]") || strings.Contains(value, "the words") {
									t.Errorf("%s of %s is %q; want it redacted", key, name, value)
								}
							case config.ContentHash:
								if !strings.Contains(value, redact.HashPrefix) || strings.Contains(value, "the words") {
									t.Errorf("%s of %s is %q; want its hash", key, name, value)
								}
								if hashes[key] == nil {
									hashes[key] = map[string]bool{}
								}
								hashes[key][value] = true
							default:
								t.Errorf("%s of %s is %q; want it left out", key, name, value)
							}
						}
					}
				}
				for key := range told {
					want := 5 // wire, merged, reported, exported, and what only Codex tells
					if mode == config.ContentOff {
						want = 0
					}
					if seen[key] != want {
						t.Errorf("%s was told %d times; want %d", key, seen[key], want)
					}
					if mode == config.ContentHash && len(hashes[key]) != 1 {
						t.Errorf("%s has hashes %v; want one, for it is the same", key, hashes[key])
					}
				}
				if prompts := collector.named("codex.user_prompt"); len(prompts) != 4 || prompts[0]["prompt_length"] != "23" {
					t.Errorf("prompts = %v; want four of 23 characters", prompts)
				}
				for _, result := range collector.named("codex.tool_result") {
					if differs := result["telemetry.disagreement"]; strings.Contains(differs, "arguments") || strings.Contains(differs, "output") {
						t.Errorf("telling the same is told as a disagreement: %v", result)
					}
				}
			})
		}
	}
}

// The key of hashes is made once, for its owner alone, and stays.
func TestHashKeyIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	settings := "[store]\ndir = " + strconv.Quote(dir) + "\n[report]\nmerge_grace = \"0s\"\n[content]\nprompts = \"hash\"\n[otel]\n"
	first := tellContents(t, settings).named("codex.unheard_of")
	second := tellContents(t, settings).named("codex.unheard_of")
	if len(first) != 1 || len(second) != 1 || first[0]["prompt"] != second[0]["prompt"] || !strings.HasPrefix(first[0]["prompt"], redact.HashPrefix) {
		t.Errorf("hashes are %v and %v; want them equal", first, second)
	}
	file := filepath.Join(dir, keyFile)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode of %s is %o; want 600", keyFile, info.Mode().Perm())
	}
	if err := os.WriteFile(file, []byte("damaged\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	a := &app{stdout: &said, stderr: &said}
	config := writeConfig(t, settings+"[otel.exporter.otlp-http]\nendpoint = \"http://127.0.0.1:1\"\nprotocol = \"json\"\n")
	if code := a.run(t.Context(), []string{"serve", "--config", config, "--listen", "127.0.0.1:0"}); code == 0 || !strings.Contains(said.String(), "holds no key") {
		t.Errorf("exit code %d with %q; want it refused", code, said.String())
	}
}

// TestContentPoliciesAreApart wants each content to have its own policy.
func TestContentPoliciesAreApart(t *testing.T) {
	modes := []string{config.ContentFull, config.ContentHash, config.ContentRedacted}
	shown := map[string]func(value, text string) bool{
		config.ContentFull:     strings.Contains,
		config.ContentHash:     func(value, _ string) bool { return strings.HasPrefix(value, redact.HashPrefix) },
		config.ContentRedacted: func(value, _ string) bool { return value == "[REDACTED]" },
	}
	for first := range modes {
		prompts, arguments, outputs := modes[first], modes[(first+1)%3], modes[(first+2)%3]
		collector := tellContents(t, "[report]\nmerge_grace = \"1h\"\n[content]\nhash_key = \"0123456789abcdef\"\nprompts = \""+prompts+"\"\narguments = \""+arguments+"\"\noutputs = \""+outputs+"\"\n[otel]\n")
		told := append(collector.named("codex.user_prompt"), collector.named("codex.tool_result")...)
		if len(told) != 8 {
			t.Fatalf("%d prompts and results; want four each", len(told))
		}
		for _, attrs := range append(told, collector.named("codex.unheard_of")...) {
			for key, want := range map[string]struct{ mode, text string }{"prompt": {prompts, saidPrompt}, "arguments": {arguments, saidArguments}, "output": {outputs, saidOutput}} {
				if value, has := attrs[key]; has && !shown[want.mode](value, want.text) {
					t.Errorf("%s of %s is %q; want it %s", key, attrs["event.name"], value, want.mode)
				}
			}
		}
	}
}

// TestHeldContentsArePolicies looks into what is on disk of records that wait to be merged.
func TestHeldContentsArePolicies(t *testing.T) {
	for mode, mark := range map[string]string{
		config.ContentFull: saidPrompt, config.ContentRedacted: "[REDACTED]", config.ContentHash: redact.HashPrefix, config.ContentOff: "codex.user_prompt",
	} {
		t.Run(mode, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			model := responsestest.NewServer(t)
			model.Any(responsestest.Stream(responsestest.Created("r"), responsestest.Completed("r")))
			p := startProxy(t, model.BaseURL(), "[store]\ndir = "+strconv.Quote(dir)+"\n[report]\nmerge_grace = \"1h\"\n[server]\nflush_timeout = \"100ms\"\n"+
				"[content]\nprompts = \""+mode+"\"\n[otel.exporter.otlp-http]\nendpoint = \"http://127.0.0.1:1\"\nprotocol = \"json\"\n")
			send(t, "POST", p.url+"/v1/responses", fmt.Sprintf(`{"model":"gpt-5","stream":true,"prompt_cache_key":"c1","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":%q}]}]}`, saidPrompt),
				func(r *http.Request) { r.Header.Set("User-Agent", "codex_exec/0.125.0 (Debian 12.0.0; x86_64) xterm") })
			until(t, p.url, func(ledgerView) bool {
				// A copy, for the database is in use.
				var found surfaces
				aside := filepath.Join(t.TempDir(), "copy")
				if err := os.CopyFS(aside, os.DirFS(dir)); err != nil {
					t.Fatal(err)
				}
				found.files(t, aside)
				held := string(found.all["table held"])
				if mode != config.ContentFull && strings.Contains(held, saidPrompt) {
					t.Errorf("what is held has the prompt: %q", held)
				}
				return strings.Contains(held, "codex.user_prompt") && strings.Contains(held, mark)
			})
			p.stop()
		})
	}
}
