package session_test

import (
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
)

// The texts are those of real runs, or as Codex's sources and the reference
// have them.
func TestDecisions(t *testing.T) {
	exec := "Chunk ID: 66f22a\nWall time: 0.4723 seconds\nProcess exited with code 4\nOriginal token count: 1\nOutput:\nhi\n"
	tests := map[string]struct {
		tool, output  string
		want, success string
	}{
		"ran":                          {"shell", ran, "approved config", "true"},
		"ran and failed":               {"exec_command", exec, "approved config", "false"},
		"applied":                      {"apply_patch", ran, "approved config", "true"},
		"was not created":              {"exec_command", `exec_command failed: CreateProcess { message: "Rejected(\"Failed to create unified exec process: No such file\")" }`, "approved config", "false"},
		"broke":                        {"shell", "execution error: Io(Custom)", "approved config", "false"},
		"refused":                      {"shell", "exec command rejected by user", "denied user", "false"},
		"refused a patch":              {"apply_patch", "patch rejected by user", "denied user", "false"},
		"refused, bare":                {"shell_command", "rejected by user", "denied user", "false"},
		"refused by unified exec":      {"exec_command", "exec_command failed for `/bin/bash -lc 'touch a3'`: CreateProcess { message: \"Rejected(\\\"rejected by user\\\")\" }", "denied user", "false"},
		"refused by its policy":        {"exec_command", "exec_command failed: CreateProcess { message: \"Rejected(\\\"`rm -rf /` rejected: blocked by policy\\\")\" }", "denied config", "false"},
		"stopped at the question":      {"shell", "exec command aborted by user", "abort user", "false"},
		"refused by policy":            {"shell", "exec command rejected: dangerous command detected; rejected by user approval settings", "denied config", "false"},
		"refused a patch by policy":    {"apply_patch", "patch rejected: writing outside of the project", "denied config", "false"},
		"blocked by policy":            {"shell", "`rm -rf /x` rejected: blocked by policy", "denied config", "false"},
		"refused by configuration":     {"exec_command", "rejected by configuration", "denied config", "false"},
		"refused by the reviewer":      {"exec_command", "automatic approval review denied the action", "denied automated_reviewer", "false"},
		"reviewer did not decide":      {"exec_command", "automatic approval review could not complete", "", "false"},
		"escalation under a policy":    {"shell", "approval policy is Never; reject command — you should not ask for escalated permissions if the approval policy is Never", "", "false"},
		"sandbox":                      {"shell", "failed in sandbox LinuxSeccomp with execution error: x", "approved config", "false"},
		"sandbox denied":               {"shell", "failed in sandbox: touch: cannot touch 'x'", "approved config", "false"},
		"sandbox denied later":         {"exec_command", `exec_command failed: CreateProcess { message: "Codex(Sandbox(Denied { output`, "approved config", "false"},
		"sandbox denied by name":       {"exec_command", "exec_command failed for `/bin/bash -lc 'touch x'`: SandboxDenied { message", "approved config", "false"},
		"nothing to run":               {"shell", "command args are empty", "approved config", "false"},
		"no such resource":             {"read_mcp_resource", "resources/read failed: unknown MCP server 'none'", "", "false"},
		"no image after all":           {"view_image", "Codex could not read the local image at `x`: unsupported MIME type", "", "true"},
		"interrupted":                  {"shell", "aborted by user after 1.2s", "", "false"},
		"interrupted later":            {"exec_command", "Wall time: 0.1 seconds\naborted by user", "", "false"},
		"no output":                    {"shell", "aborted", "", "false"},
		"no such tool":                 {"shell", "unsupported call: shell", "", "false"},
		"bad arguments":                {"exec_command", "failed to parse function arguments: EOF", "", "false"},
		"another tool":                 {"update_plan", "Plan updated", "", "true"},
		"another tool that looks so":   {"write_stdin", exec, "", "false"},
		"MCP":                          {"mcp__srv__echo", "Wall time: 0.0007 seconds\nOutput:\n[]", "", "true"},
		"MCP refused":                  {"mcp__srv__echo", "Wall time: 0.0040 seconds\nOutput:\nuser rejected MCP tool call", "denied user", "false"},
		"MCP stopped":                  {"mcp__srv__echo", "user cancelled MCP tool call", "abort user", "false"},
		"another tool with that words": {"echo", "user rejected MCP tool call", "", "false"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			k := newTalk(t)
			k.codex("c", setting, says("hi")).answers(`{"type":"function_call","name":"` + test.tool + `","arguments":"{}","call_id":"a"}`)
			x := k.codex("c", gives("a", test.output))
			want := []string{"result a " + test.tool + " " + test.success}
			if test.want != "" {
				want = append([]string{"decision a " + test.want}, want...)
			}
			x.wants(t, want...)
		})
	}
}

// Who approved shows only where nobody is ever asked.
func TestDecisionWithoutASource(t *testing.T) {
	k := newTalk(t)
	k.codex("c", says("hi")).answers(calls("a"))
	k.codex("c", says("hi"), calls("a"), gives("a", ran)).wants(t, "decision a approved", "result a shell true")
}

func TestResultAttributes(t *testing.T) {
	k := newTalk(t)
	k.codex("c", says("hi")).answers(
		`{"type":"local_shell_call","call_id":"a","action":{"type":"exec","command":["bash","-lc","ls -l"]}}`,
		`{"type":"function_call","name":"echo","namespace":"mcp__srv","arguments":"{\"t\":1}","call_id":"b"}`,
		`{"type":"function_call","name":"update_plan","arguments":"{}","call_id":"c"}`,
	)
	x := k.codex("c", gives("a", ran), gives("b", "Wall time: 1.5 seconds\nOutput:\nx"), gives("c", "Plan updated"))
	want := map[string]events.ToolResult{
		"a": {
			ToolName: "local_shell", CallID: events.Some("a"), Arguments: events.Some("bash -lc ls -l"), DurationMS: events.Some[int64](200),
			Success: true, Output: events.Some(ran), MCPServer: events.Some(""), MCPOrigin: events.Some(""),
		},
		"b": {
			ToolName: "echo", Namespace: events.Some("mcp__srv"), CallID: events.Some("b"), Arguments: events.Some(`{"t":1}`),
			DurationMS: events.Some[int64](1500), Success: true, Output: events.Some("Wall time: 1.5 seconds\nOutput:\nx"), MCPServer: events.Some("srv"),
		},
		"c": { // From the call, 100 ms after its request, to the next request.
			ToolName: "update_plan", CallID: events.Some("c"), Arguments: events.Some("{}"), DurationMS: events.Some[int64](900),
			Success: true, Output: events.Some("Plan updated"), MCPServer: events.Some(""), MCPOrigin: events.Some(""),
		},
	}
	for _, r := range x.Records() {
		got, ok := r.Event.(*events.ToolResult)
		if !ok {
			continue
		}
		if *got != want[got.CallID.Value] {
			t.Errorf("result = %+v; want %+v", *got, want[got.CallID.Value])
		}
		if r.ID != events.ToolResultID("c", got.CallID.Value) {
			t.Errorf("event.id = %q; want that of the call's result", r.ID)
		}
	}
}

// TestRefusedAtOnceTakesNoTime: the request with the output came a second later.
func TestRefusedAtOnceTakesNoTime(t *testing.T) {
	for output, none := range map[string]bool{
		"patch rejected: writing outside of the project": true,
		"failed to parse function arguments: EOF":        true,
		"patch rejected by user":                         false, // who took the time
		"something else":                                 false,
	} {
		k := newTalk(t)
		k.codex("c", setting, says("hi")).answers(`{"type":"custom_tool_call","name":"apply_patch","input":"x","call_id":"a"}`)
		x := k.codex("c", gives("a", output))
		result, ok := x.records[len(x.records)-1].Event.(*events.ToolResult)
		if !ok || (result.DurationMS.Value == 0) != none {
			t.Errorf("%s: told %+v; want no time = %v", output, x.records, none)
		}
	}
}

// TestDecisionAboutAPatch tells a command that is a patch from others.
func TestDecisionAboutAPatch(t *testing.T) {
	tests := map[string]bool{
		`{"command":["apply_patch","*** Begin Patch"]}`:                     true,
		`{"command":["bash","-lc","apply_patch <<'EOF'\n*** Begin Patch"]}`: true,
		`{"command":["bash","-lc","cat apply_patch"]}`:                      false,
		`{"command":["bash","-c","x","apply_patch"]}`:                       false,
		`{"command":"apply_patch"}`:                                         false,
		`{"command":`:                                                       false,
	}
	for arguments, want := range tests {
		k := newTalk(t)
		k.codex("c", setting, says("hi")).answers(`{"type":"function_call","name":"shell","arguments":` + quoted(arguments) + `,"call_id":"a"}`)
		x := k.codex("c", gives("a", ran))
		decision, ok := x.records[0].Event.(*events.ToolDecision)
		if !ok || decision.Patch != want {
			t.Errorf("%s: told %+v; want a decision about a patch = %v", arguments, x.records[0].Event, want)
		}
	}
}
