package events

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// expandTool returns what the codex schema of a release makes of an event, nil
// for nothing.
func expandTool(version string, event Event) Event {
	records := expand(CodexProfile(version), "abc", event)
	if len(records) == 0 {
		return nil
	}
	return records[0].Event
}

// A release tells the decisions that it was seen to tell.
func TestExpandLeavesOutDecisions(t *testing.T) {
	tests := []struct {
		name  string
		event ToolDecision
		told  []string
		not   []string
	}{
		{"shell", ToolDecision{ToolName: "shell", Decision: DecisionApproved}, []string{"0.44.0", "0.45.0", "0.125.0"}, nil},
		{
			"refused by policy",
			ToolDecision{ToolName: "shell", Decision: DecisionDenied, Decider: Some(DecidedByConfig)},
			[]string{"0.44.0"},
			[]string{"0.45.0", "0.101.0"},
		},
		{
			"refused by the user",
			ToolDecision{ToolName: "shell", Decision: DecisionDenied, Decider: Some(DecidedByUser)},
			[]string{"0.44.0", "0.58.0", "0.169.0"},
			nil,
		},
		{
			"patch",
			ToolDecision{ToolName: "apply_patch", Decision: DecisionApproved},
			[]string{"0.44.0", "0.49.0", "0.169.0"},
			[]string{"0.45.0", "0.47.0"},
		},
		{
			"command that is a patch",
			ToolDecision{ToolName: "shell", Patch: true, Decision: DecisionApproved},
			[]string{"0.44.0", "0.49.0", "0.169.0"},
			[]string{"0.45.0", "0.47.0"},
		},
		{
			"patch refused",
			ToolDecision{ToolName: "apply_patch", Decision: DecisionDenied, Decider: Some(DecidedByUser)},
			[]string{"0.80.0"},
			[]string{"0.58.0", "0.77.0"},
		},
		{
			"patch refused by policy",
			ToolDecision{ToolName: "apply_patch", Decision: DecisionDenied, Decider: Some(DecidedByConfig)},
			nil,
			[]string{"0.44.0", "0.58.0", "0.169.0"},
		},
		{"unified exec", ToolDecision{ToolName: "exec_command", Decision: DecisionApproved}, []string{"0.101.0", "0.169.0"}, []string{"0.44.0"}},
		{
			"MCP",
			ToolDecision{ToolName: "echo", Namespace: Some("mcp__srv"), Decision: DecisionDenied, Decider: Some(DecidedByUser)},
			[]string{"0.150.1"},
			[]string{"0.145.0"},
		},
	}
	for _, test := range tests {
		for _, version := range test.told {
			if expandTool(version, &test.event) == nil {
				t.Errorf("%s of %s: no record; want one", test.name, version)
			}
		}
		for _, version := range test.not {
			if got := expandTool(version, &test.event); got != nil {
				t.Errorf("%s of %s = %+v; want none", test.name, version, got)
			}
		}
	}
}

func TestExpandSpellsTools(t *testing.T) {
	tests := []struct {
		version, name, namespace string
		wantName, wantNamespace  string
	}{
		{"0.44.0", "shell", "", "shell", ""},
		{"0.45.0", "shell", "", "local_shell", ""},
		{"0.47.0", "shell", "", "local_shell", ""},
		{"0.47.0", "container.exec", "", "local_shell", ""},
		{"0.49.0", "shell", "", "shell", ""},
		{"0.149.1", "exec_command", "", "exec_command", ""},
		{"0.150.1", "exec_command", "", "exec_command", "functions"},
		{"0.125.0", "spawn_agent", "multi_agent_v1", "multi_agent_v1spawn_agent", ""},
		{"0.169.0", "spawn_agent", "multi_agent_v1", "spawn_agent", "multi_agent_v1"},
	}
	for _, test := range tests {
		event := &ToolDecision{ToolName: test.name, Namespace: NonEmpty(test.namespace), Decision: DecisionApproved}
		got, _ := expandTool(test.version, event).(*ToolDecision)
		if got == nil || got.ToolName != test.wantName || got.Namespace != NonEmpty(test.wantNamespace) {
			t.Errorf("%s of %s = %+v; want %s, %s", test.name, test.version, got, test.wantName, test.wantNamespace)
		}
	}
}

// The texts are those of real runs, before and after Codex told them.
func TestExpandSpellsOutputs(t *testing.T) {
	numbers := strings.Repeat("0123456789\n", 300)
	image := NewImage([]byte("data:image/png;base64,aGk="))
	exec := "Chunk ID: 7a9260\nWall time: 0.0000 seconds\nProcess exited with code 0\nOriginal token count: 974\nOutput:\n"
	tests := map[string]struct {
		version   string
		event     ToolResult
		want      string
		truncated Opt[bool]
	}{
		"JSON of the shell": {
			"0.45.0",
			ToolResult{ToolName: "shell", Success: true, Output: Some("Exit code: 0\nWall time: 0.2 seconds\nOutput:\nhi <&> \"there\"\n")},
			`{"output":"hi <&> \"there\"\n","metadata":{"exit_code":0,"duration_seconds":0.2}}`,
			Opt[bool]{},
		},
		"JSON of a failure": {
			"0.125.0",
			ToolResult{ToolName: "shell", Output: Some("Exit code: 3\nWall time: 0 seconds\nOutput:\nno\n")},
			`{"output":"no\n","metadata":{"exit_code":3,"duration_seconds":0.0}}`,
			Opt[bool]{},
		},
		"JSON of a patch": {
			"0.131.0",
			ToolResult{ToolName: "apply_patch", Success: true, Output: Some("Exit code: 0\nWall time: 1 seconds\nOutput:\nA é\x01")},
			`{"output":"A é\u0001","metadata":{"exit_code":0,"duration_seconds":1.0}}`,
			Opt[bool]{},
		},
		"JSON with total": {
			"0.58.0",
			ToolResult{ToolName: "shell", Success: true, Output: Some("Exit code: 0\nWall time: 0 seconds\nTotal output lines: 9\nOutput:\n1\n2\n")},
			`{"output":"Total output lines: 9\n\n1\n2\n","metadata":{"exit_code":0,"duration_seconds":0.0}}`,
			Opt[bool]{},
		},
		"text of another tool": {
			"0.64.0",
			ToolResult{ToolName: "shell_command", Success: true, Output: Some("Exit code: 0\nWall time: 0 seconds\nOutput:\nhi\n")},
			"Exit code: 0\nWall time: 0 seconds\nOutput:\nhi\n",
			Opt[bool]{},
		},
		"text of a later shell": {
			"0.133.0",
			ToolResult{ToolName: "apply_patch", Success: true, Output: Some("Exit code: 0\nWall time: 0 seconds\nOutput:\nhi\n")},
			"Exit code: 0\nWall time: 0 seconds\nOutput:\nhi\n",
			Opt[bool]{},
		},
		"whole": {
			"0.44.0", ToolResult{ToolName: "exec_command", Success: true, Output: Some(exec + numbers)}, exec + numbers, Opt[bool]{},
		},
		"cut by lines": {
			"0.125.0",
			ToolResult{ToolName: "exec_command", Success: true, Output: Some(exec + numbers)},
			exec + numbers[:59*11] + "[... telemetry preview truncated ...]",
			Opt[bool]{},
		},
		"failure not cut": {
			"0.125.0", ToolResult{ToolName: "shell_command", Output: Some(exec + numbers)}, exec + numbers, Opt[bool]{},
		},
		"cut by bytes": {
			"0.169.0",
			ToolResult{ToolName: "exec_command", Success: true, Output: Some(exec + numbers)},
			exec + numbers[:2048-len(exec)] + "\n[... telemetry preview truncated ...]", Some(true),
		},
		"cut before a character": {
			"0.169.0",
			ToolResult{ToolName: "x", Success: true, Output: Some("a" + strings.Repeat("é", 2000))},
			"a" + strings.Repeat("é", 1023) + "\n[... telemetry preview truncated ...]", Some(true),
		},
		"preview of the whole output": {
			"0.169.0",
			ToolResult{
				ToolName: "exec_command", Success: true,
				Output: Some(exec + "Warning: truncated output (original token count: 42224)\nTotal output lines: 30000\n\n1\n2\n"),
			},
			exec + "1\n2\n", Some(true),
		},
		"image of which nothing is told": {
			"0.114.0",
			ToolResult{ToolName: "view_image", Success: true, Output: Some(image.Omitted()), Image: image},
			"",
			Opt[bool]{},
		},
		"image as it is": {
			"0.131.0",
			ToolResult{ToolName: "view_image", Success: true, Output: Some(image.Omitted()), Image: image},
			"data:image/png;base64,aGk=",
			Opt[bool]{},
		},
		"image by its length": {
			"0.141.0",
			ToolResult{ToolName: "view_image", Success: true, Output: Some(image.Omitted()), Image: image},
			"<image data URL omitted: 26 bytes>",
			Opt[bool]{},
		},
		"image by another length, without a word about cutting": {
			"0.142.0",
			ToolResult{ToolName: "view_image", Success: true, Output: Some(image.Omitted()), Image: image},
			"<image data URL omitted: 41 bytes>",
			Opt[bool]{},
		},
		"image by another length": {
			"0.150.0",
			ToolResult{ToolName: "view_image", Success: true, Output: Some(image.Omitted()), Image: image},
			"<image data URL omitted: 41 bytes>", Some(false),
		},
		"whole of an output that was cut by little": {
			"0.169.0",
			ToolResult{ToolName: "exec_command", Success: true, Output: Some(exec + "Warning: truncated output (original token count: 9)\n1\n2\n")},
			exec + "1\n2\n", Some(false),
		},
		"cut by the agent": {
			"0.169.0",
			ToolResult{ToolName: "x", Success: true, Output: Some(numbers[:2048] + "\n[... telemetry preview truncated ...]")},
			numbers[:2048] + "\n[... telemetry preview truncated ...]", Some(true),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, _ := expandTool(test.version, &test.event).(*ToolResult)
			if got == nil {
				t.Fatal("no record; want one")
			}
			if diff := cmp.Diff(test.want, got.Output.Value); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
			if got.Truncated != test.truncated {
				t.Errorf("output_truncated = %+v; want %+v", got.Truncated, test.truncated)
			}
		})
	}
}

func TestExpandLeavesOutResults(t *testing.T) {
	if got := expandTool("0.169.0", &ToolResult{ToolName: "shell", Interrupted: true}); got != nil {
		t.Errorf("interrupted call = %+v; want none", got)
	}
	mcp := &ToolResult{ToolName: "srv__echo", MCPServer: Some("srv")}
	if got := expandTool("0.44.0", mcp); got != nil {
		t.Errorf("MCP call of 0.44 = %+v; want none", got)
	}
	if expandTool("0.45.0", mcp) == nil {
		t.Error("no MCP call of 0.45; want one")
	}
	failed := &ToolResult{ToolName: "exec_command", ProcessFailed: true}
	if got, _ := expandTool("0.169.0", failed).(*ToolResult); got == nil || !got.Success {
		t.Errorf("exec_command with another exit code = %+v; want a success", got)
	}
}
