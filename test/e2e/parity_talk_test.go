package e2e_test

import (
	"net/http"
	"strings"
	"time"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/codexcli"
)

// broken are answers that end badly and that every transport can bring.
func broken(transport string) []scenario {
	begun := responsestest.Created("r1")
	list := []scenario{
		{name: "failed", responses: []responsestest.Response{responsestest.Stream(begun, responsestest.Failed("r1", "server_error", "we failed"))}},
		{name: "cut", responses: []responsestest.Response{{Events: []responsestest.Event{begun}, Abort: responsestest.AbortStream}}},
		{name: "incomplete", fails: true, responses: []responsestest.Response{responsestest.Stream(begun, responsestest.Incomplete("r1", "max_output_tokens"))}},
		{name: "error message", only: overDeflate, responses: []responsestest.Response{
			responsestest.Error(http.StatusInternalServerError, "server_error", "", "we failed"),
		}},
		{name: "refused", only: overDeflate, fails: true, responses: []responsestest.Response{
			responsestest.Error(http.StatusTooManyRequests, "rate_limit_error", "rate_limit_exceeded", "we failed"),
		}},
		{name: "failed for the quota over it", only: overDeflate, fails: true, responses: []responsestest.Response{
			responsestest.Stream(begun, responsestest.Failed("r1", "insufficient_quota", "pay")),
		}},
	}
	if transport == overHTTP {
		return list[2:3]
	}
	return append(list, messages()...)
}

// messages are answers that consist of what only a WebSocket brings one by one.
func messages() []scenario {
	begun, text := responsestest.Created("r1"), func(data string) responsestest.Event { return responsestest.Event{Data: data} }
	late := turn("r2", function("late", "update_plan", `{"plan":[]}`))
	late.Events = append(late.Events, responsestest.TextDelta("late"), text(`{"type":"keepalive"}`))
	failed := func(data string) responsestest.Response { return responsestest.Stream(begun, text(data)) }
	return []scenario{
		{name: "messages of all kinds", responses: []responsestest.Response{
			responsestest.Stream(append(responsestest.MessageStream("msg_1", "He", "l", "lo"),
				begun, text(`{"type":"response.sparkles.delta"}`), text(`{"type":7}`), text(`{"type":null}`), text(`{}`), text(`[{"type":"x"}]`),
				text(`"response.created"`), text(` {"a":1, "type":"spaced" } `), text(`{"type":"a`), text(`nonsense`), text(`{"type":"a"} {}`), text(` `),
				text(`{"type":""}`), text(`{"type":"two","type":"types"}`), text(`{"type":"caf\u00e9"}`), text(`{"type":"error"}`),
				text(`{"type":"codex.rate_limits"}`), responsestest.Pause(700*time.Millisecond), function("next", "update_plan", `{"plan":[]}`),
				responsestest.CompletedWithTokens("r1", usage))...),
			late, done,
		}},
		{name: "failures of all kinds", responses: []responsestest.Response{
			failed(`{"type":"response.failed","response":null}`),
			failed(`{"type":"response.failed","response":{"id":"r1","error":null}}`),
			failed(`{"type":"response.failed","response":{"id":"r1","error":{"message":"we \u00e9 failed", "code":"server_error","n":1.50,"code":"other"}}}`),
			done,
		}},
	}
}

// talks are conversations in all their ways.
func talks() []scenario {
	write := `"touch denied.txt && echo done"`
	policy := func(name, approval, sandbox string, wide bool) scenario {
		return scenario{
			name: name, wide: wide,
			setup: func(cfg *codexcli.Config) { cfg.Approval, cfg.Sandbox = approval, sandbox },
			responses: turns(
				function("reads", "shell", `{"command":["cat","/etc/hostname"]}`),
				function("writes", "shell", `{"command":["sh","-c",`+write+`]}`),
				function("asks", "shell", `{"command":["sh","-c",`+write+`],"with_escalated_permissions":true,"justification":"needed"}`),
				function("exec_reads", "exec_command", `{"cmd":"cat /etc/hostname"}`),
				function("exec_writes", "exec_command", `{"cmd":`+write+`}`),
				function("exec_asks", "exec_command", `{"cmd":`+write+`,"sandbox_permissions":"require_escalated","justification":"needed"}`),
				function("command_reads", "shell_command", `{"command":"cat /etc/hostname"}`),
				function("command_writes", "shell_command", `{"command":`+write+`}`),
				function("removes", "shell", `{"command":["rm","-rf","/no/such/thing"]}`),
				responsestest.ApplyPatch("call_patch", goodPatch),
				responsestest.ApplyPatchFunction("call_patch_function", strings.ReplaceAll(goodPatch, "added", "second")),
				responsestest.ApplyPatch("call_outside", strings.ReplaceAll(goodPatch, "added.txt", "/outside/added.txt")),
			),
		}
	}
	return []scenario{
		{name: "turns", setup: withFiles, prompts: []string{"say hello, wörld 👋", "once more", "once more"}, responses: turns(
			function("1", "update_plan", `{"plan":[]}`), responsestest.Message("msg_1", "Hello"), function("2", "teleport", `{}`),
		)},
		// Before 0.58 a run with an image may never end: it waits for an answer that it has already got.
		{name: "image", from: 58, prompts: []string{"look"}, setup: func(cfg *codexcli.Config) {
			withFiles(cfg)
			cfg.Args = []string{"-i", "pixel.png"}
		}},
		{name: "long prompt", wide: true, prompts: []string{" \n# Context\nline\r\n\ttab <environment_context> " + strings.Repeat("Überlänge ", 3000) + "\n\n"}},
		{name: "effort", setup: func(cfg *codexcli.Config) {
			cfg.Keys = "model_reasoning_effort = \"high\"\nmodel_reasoning_summary = \"concise\"\n"
		}},
		{name: "low effort", wide: true, setup: func(cfg *codexcli.Config) {
			cfg.Keys = "model_reasoning_effort = \"low\"\nmodel_reasoning_summary = \"none\"\nmodel_verbosity = \"low\"\n"
		}},
		{name: "medium effort", wide: true, setup: func(cfg *codexcli.Config) { cfg.Keys = "model_reasoning_effort = \"medium\"\n" }},
		{name: "another model", wide: true, setup: func(cfg *codexcli.Config) {
			cfg.Model, cfg.Keys = "some-model", "model_context_window = 100000\nmodel_auto_compact_token_limit = 90000\n"
		}},
		{name: "GPT-5", wide: true, setup: func(cfg *codexcli.Config) { cfg.Model = "gpt-5" }},
		{name: "profile", wide: true, setup: func(cfg *codexcli.Config) { cfg.Extra = "[profiles.work]\nmodel = \"gpt-5-codex\"\n" }},
		policy("read-only", "never", "read-only", false),
		policy("workspace-write", "never", "workspace-write", true),
		policy("on request", "on-request", "read-only", true),
		refused(policy("untrusted", "untrusted", "workspace-write", true), 150),
		policy("on failure", "on-failure", "workspace-write", true),
		policy("on request with full access", "on-request", "danger-full-access", true),
		{name: "bypassed", wide: true, setup: func(cfg *codexcli.Config) {
			cfg.Approval, cfg.Sandbox, cfg.Args = "on-request", "read-only", []string{"--dangerously-bypass-approvals-and-sandbox"}
		}, responses: turns(function("1", "shell", `{"command":["echo","x"]}`), function("2", "exec_command", `{"cmd":"echo x"}`))},
		{name: "compaction", prompts: []string{"say hello", "and again"}, setup: func(cfg *codexcli.Config) {
			cfg.Keys = "model_auto_compact_token_limit = 5000\n"
		}, responses: []responsestest.Response{
			expensive("r1", function("1", "update_plan", `{"plan":[]}`)), // a summary follows
			responsestest.Stream(responsestest.Created("r2"), responsestest.Message("msg_2", "The summary."), responsestest.CompletedWithTokens("r2", usage)),
			turn("r3", function("2", "update_plan", `{"plan":[]}`)),
			expensive("r4", responsestest.Message("msg_4", "Hello")),
		}},
		{name: "sub-agent", wide: true, setup: func(cfg *codexcli.Config) { cfg.Features = "collab = true\nmulti_agent = true\n" }, answer: subAgent},
	}
}

// refused is a scenario whose configuration a release refuses, and those after it.
func refused(s scenario, until int) scenario {
	s.until = until
	return s
}

// expensive is an answer that fills the context.
func expensive(id string, items ...responsestest.Event) responsestest.Response {
	events := append([]responsestest.Event{responsestest.Created(id)}, items...)
	return responsestest.Stream(append(events, responsestest.CompletedWithTokens(id, responsestest.Usage{Input: 9000, Output: 100, Total: 9100}))...)
}

// subAgent has the agent start another one, which runs a command, and wait for it.
func subAgent(_ int, r *responsestest.Request) *responsestest.Response {
	body := string(r.Body)
	// Over a WebSocket a request has only what is new, and names the response before.
	after := map[string]string{"spawn": "r1", "wait": "r2", "count": "child_1"}
	has := func(id string) bool {
		return strings.Contains(body, `"call_`+id+`"`) || strings.Contains(body, `"previous_response_id":"`+after[id]+`"`)
	}
	var response responsestest.Response
	switch {
	case has("count"), has("wait"):
		return nil
	case has("spawn"):
		// Whatever the release knows of these gives the other one its time.
		response = turn("r2", function("wait", "wait_agent", `{"timeout_ms":2000}`), function("shell", "shell", `{"command":["sleep","1"]}`),
			function("exec", "exec_command", `{"cmd":"sleep 1"}`))
	case strings.Contains(body, "count to three"):
		response = turn("child_1", function("count", "update_plan", `{"plan":[]}`))
	default:
		task := `{"message":"count to three","task_name":"counting"}`
		response = turn("r1", function("spawn", "spawn_agent", task), namespaced("spawn_too", "multi_agent_v1", "spawn_agent", task))
	}
	return &response
}
