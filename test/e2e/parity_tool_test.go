package e2e_test

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/codexcli"
)

// mcpServer is an MCP server that Node runs.
//
//go:embed testdata/mcp.mjs
var mcpServer string

// pixel is an image.
//
//go:embed testdata/pixel.png
var pixel string

// Patches: one that applies, one that does not.
const (
	goodPatch = "*** Begin Patch\n*** Add File: added.txt\n+one\n+two\n*** End Patch"
	badPatch  = "*** Begin Patch\n*** Update File: missing.txt\n@@\n-one\n+two\n*** End Patch"
)

// function is a call of a function, whose name and arguments make up its id.
func function(id, name, arguments string) responsestest.Event {
	return responsestest.FunctionCall("call_"+id, name, arguments)
}

// namespaced is a call of a function in a namespace, as the later releases name the tools of MCP servers.
func namespaced(id, namespace, name, arguments string) responsestest.Event {
	item, _ := json.Marshal(map[string]string{ // strings encode
		"id": "fc_" + id, "type": "function_call", "status": "completed", "arguments": arguments, "call_id": "call_" + id, "name": name,
		"namespace": namespace,
	})
	return responsestest.OutputItemDone(responsestest.Item(item))
}

// toolScenarios are turns that call tools. Each has the tools of all releases: what a CLI does not know, it says so of.
func toolScenarios() []scenario {
	return []scenario{
		{name: "shell", responses: turns(
			function("ok", "shell", `{"command":["sh","-c","echo hello; sleep 0.4"]}`),
			function("fails", "shell", `{"command":["sh","-c","echo out; echo err >&2; exit 3"]}`),
			function("times_out", "shell", `{"command":["sleep","9"],"timeout_ms":300}`),
			function("much", "shell", `{"command":["seq","1","3000"]}`),
			function("long_lines", "shell", `{"command":["sh","-c","head -c 9000 /dev/zero | tr '\\0' x"]}`),
			function("silent", "shell", `{"command":["true"]}`),
			function("missing", "shell", `{"command":["no-such-program"]}`),
			function("nothing", "shell", `{"command":[]}`),
			function("malformed", "shell", `{"command":`),
			function("no_arguments", "shell", `{}`),
			function("elsewhere", "shell", `{"command":["pwd"],"workdir":"/"}`),
			function("nowhere", "shell", `{"command":["pwd"],"workdir":"/no/such/place"}`),
			function("justified", "shell", `{"command":["echo","x"],"with_escalated_permissions":true,"justification":"needed"}`),
			function("container", "container.exec", `{"command":["echo","one"]}`),
			function("bytes", "shell", `{"command":["printf","a\\000b\\377c\\r\\nd\\033[1m"]}`),
			function("crlf", "shell", `{"command":["sh","-c","for i in $(seq 90); do printf 'line\\r\\n'; done"]}`),
		)},
		{name: "shell_command", wide: true, responses: turns(
			function("ok", "shell_command", `{"command":"echo hello; sleep 0.3"}`),
			function("fails", "shell_command", `{"command":"echo out; exit 3"}`),
			function("times_out", "shell_command", `{"command":"sleep 9","timeout_ms":300}`),
			function("much", "shell_command", `{"command":"seq 1 3000"}`),
			function("silent", "shell_command", `{"command":"true"}`),
			function("malformed", "shell_command", `{"command":7}`),
			function("elsewhere", "shell_command", `{"command":"pwd","workdir":"/"}`),
			function("justified", "shell_command", `{"command":"echo x","sandbox_permissions":"require_escalated","justification":"needed"}`),
		)},
		{name: "exec_command", answer: sessions, responses: turns(
			function("ok", "exec_command", `{"cmd":"echo hello; sleep 0.4"}`),
			function("fails", "exec_command", `{"cmd":"echo out; exit 3"}`),
			function("much", "exec_command", `{"cmd":"seq 1 3000"}`),
			function("more", "exec_command", `{"cmd":"seq 1 30000","max_output_tokens":200}`),
			function("silent", "exec_command", `{"cmd":"true"}`),
			function("malformed", "exec_command", `{"cmd":`),
			function("no_arguments", "exec_command", `{}`),
			function("elsewhere", "exec_command", `{"cmd":"pwd","workdir":"/"}`),
			function("bash", "exec_command", `{"cmd":"echo $0","shell":"/bin/bash","login":false}`),
			function("terminal", "exec_command", `{"cmd":"echo x","tty":true}`),
			function("nobody", "write_stdin", `{"session_id":424242,"chars":"x"}`),
			function("justified", "exec_command", `{"cmd":"echo x","sandbox_permissions":"require_escalated","justification":"needed"}`),
			function("goes_on", "exec_command", `{"cmd":"read a; echo got $a; sleep 1; exit 4","yield_time_ms":300,"tty":true}`),
			function("written", "write_stdin", `{"session_id":SESSION,"chars":"hello\n","yield_time_ms":300}`),
			function("polled", "write_stdin", `{"session_id":SESSION,"chars":"","yield_time_ms":3000}`),
			function("gone", "write_stdin", `{"session_id":SESSION,"chars":"x"}`),
			function("unified", "unified_exec", `{"input":["echo","one"]}`),
		)},
		{name: "apply_patch", responses: turns(
			responsestest.ApplyPatch("call_custom", goodPatch),
			responsestest.ApplyPatch("call_custom_fails", badPatch),
			responsestest.ApplyPatch("call_custom_malformed", "*** nothing"),
			responsestest.ApplyPatchFunction("call_function", strings.ReplaceAll(goodPatch, "added", "second")),
			function("shell", "shell", `{"command":["apply_patch",`+quoted(strings.ReplaceAll(goodPatch, "added", "third"))+`]}`),
			function("heredoc", "shell", `{"command":["bash","-lc",`+quoted("apply_patch <<'EOF'\n"+strings.ReplaceAll(goodPatch, "added", "fourth")+"\nEOF\n")+`]}`),
			function("shell_fails", "shell", `{"command":["apply_patch",`+quoted(badPatch)+`]}`),
			function("shell_command", "shell_command", `{"command":`+quoted("apply_patch <<'EOF'\n"+strings.ReplaceAll(goodPatch, "added", "fifth")+"\nEOF\n")+`}`),
			function("exec_command", "exec_command", `{"cmd":`+quoted("apply_patch <<'EOF'\n"+strings.ReplaceAll(goodPatch, "added", "sixth")+"\nEOF\n")+`}`),
			function("exec_command_fails", "exec_command", `{"cmd":`+quoted("apply_patch <<'EOF'\n"+badPatch+"\nEOF\n")+`}`),
		)},
		{name: "other tools", setup: withFiles, responses: append(turns(
			function("plan", "update_plan", `{"explanation":"why","plan":[{"step":"one","status":"in_progress"}]}`),
			function("no_plan", "update_plan", `{"plan":7}`),
			function("image", "view_image", `{"path":"pixel.png"}`),
			function("no_image", "view_image", `{"path":"missing.png"}`),
			function("text_image", "view_image", `{"path":"AGENTS.md"}`),
			function("unknown", "teleport", `{"to":"moon"}`),
			responsestest.CustomToolCall("call_custom", "teleport", "moon"),
			function("resources", "list_mcp_resources", `{}`),
			function("resource", "read_mcp_resource", `{"server":"none","uri":"test://one"}`),
			function("ask", "request_user_input", `{"questions":[{"id":"a","header":"h","question":"q?","options":[{"label":"x","description":"y"}]}]}`),
			function("read", "read_file", `{"file_path":"/etc/hostname"}`),
			function("list", "list_dir", `{"dir_path":"/etc"}`),
			function("grep", "grep_files", `{"pattern":"x"}`),
			function("sync", "test_sync_tool", `{}`),
			function("clock", "clock", `{}`),
			function("goal", "get_goal", `{}`),
			responsestest.WebSearchCall("ws_1", "weather"),
		), turn("r_search",
			responsestest.WebSearchCallAdded("ws_2", "weather"), responsestest.WebSearchCall("ws_2", "weather"), function("after", "teleport", `{}`)))},
		{name: "local shell", wide: true, responses: turns(
			responsestest.LocalShellCall("call_ok", "echo", "one"),
			responsestest.LocalShellCall("call_fails", "sh", "-c", "exit 3"),
		)},
		{name: "parallel", responses: []responsestest.Response{
			turn("r1", responsestest.Reasoning("rs_1", "hm"),
				function("1", "shell", `{"command":["sleep","0.5"]}`), function("2", "shell", `{"command":["echo","two"]}`),
				function("3", "exec_command", `{"cmd":"sleep 0.5; echo three"}`), function("4", "exec_command", `{"cmd":"echo four"}`),
				function("5", "teleport", `{}`), responsestest.Message("msg_1", "wait")),
			turn("r2", function("6", "update_plan", `{"plan":[]}`), responsestest.ApplyPatch("call_7", goodPatch), function("8", "shell", `{"command":["false"]}`)),
		}},
		{name: "MCP", setup: withMCP, responses: append(turns(
			function("ok", "mcp__test__echo", `{"text":"hi"}`),
			function("fails", "mcp__test__fail", `{}`),
			function("picture", "mcp__test__picture", `{}`),
			function("slow", "mcp__test__slow", `{}`),
			function("unknown", "mcp__test__none", `{}`),
			function("malformed", "mcp__test__echo", `{"text":`),
			function("old", "test__echo", `{"text":"hi"}`),
			function("old_fails", "test__fail", `{}`),
			namespaced("new", "mcp__test", "echo", `{"text":"hi"}`),
			namespaced("new_fails", "mcp__test", "fail", `{}`),
			namespaced("new_picture", "mcp__test", "picture", `{}`),
			namespaced("new_slow", "mcp__test", "slow", `{}`),
			namespaced("new_unknown", "mcp__test", "none", `{}`),
			namespaced("new_malformed", "mcp__test", "echo", `{"text":`),
			namespaced("newer", "mcp__test__", "echo", `{"text":"hi"}`),
			namespaced("unknown_namespace", "mcp__other", "echo", `{}`),
			function("resources", "list_mcp_resources", `{"server":"test"}`),
			function("resource", "read_mcp_resource", `{"server":"test","uri":"test://one"}`),
			function("templates", "list_mcp_resource_templates", `{}`),
		), turn("r_parallel", function("p1", "mcp__test__echo", `{"text":"1"}`), namespaced("p2", "mcp__test", "echo", `{"text":"2"}`)))},
	}
}

// withMCP configures the MCP server, and one without tools that does not start.
func withMCP(cfg *codexcli.Config) {
	cfg.Files = map[string]string{"mcp.mjs": mcpServer}
	cfg.Extra = "[mcp_servers.test]\ncommand = \"node\"\nargs = [\"mcp.mjs\"]\n"
}

// withFiles puts an image and the user's instructions into the workspace.
func withFiles(cfg *codexcli.Config) {
	cfg.Files = map[string]string{"pixel.png": pixel, "AGENTS.md": "Be brief.\n"}
}

func quoted(text string) string { return strconv.Quote(text) }

var sessionID = regexp.MustCompile(`session (?:ID|id) (\d+)`)

// sessions puts the session that a process was said to run in into the calls that write to it.
func sessions(n int, r *responsestest.Request) *responsestest.Response {
	list := toolScenarios()
	for i := range list {
		if list[i].name != "exec_command" || n >= len(list[i].responses) {
			continue
		}
		response := list[i].responses[n]
		id := "1"
		if match := sessionID.FindSubmatch(r.Body); match != nil {
			id = string(match[1])
		}
		for j := range response.Events {
			response.Events[j].Data = strings.ReplaceAll(response.Events[j].Data, "SESSION", id)
		}
		return &response
	}
	return nil
}
