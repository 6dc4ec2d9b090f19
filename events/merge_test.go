package events

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wire and agent return the two tellings of a fact.
func wireRecord(event Event) Record {
	return Record{
		Event: event, Source: SourceWire, ID: "wire-id", Time: time.Unix(100, 0),
		Scope: &Scope{
			ConversationID: "c1", Model: "m", TurnID: "t1", ResponseID: "r1",
			Resource: &Resource{ServiceName: "codex-cli", Environment: "prod"}, Profile: CodexProfile("0.100.0"),
		},
	}
}

func agentRecord(event Event) Record {
	return Record{
		Event: event, Source: SourceAgent, ID: "agent-id", Time: time.Unix(99, 0),
		Scope: &Scope{ConversationID: "c1", AuthMode: "ApiKey", Model: "m", Resource: &Resource{ServiceName: "codex-cli"}},
	}
}

func TestMergeFillsGaps(t *testing.T) {
	wire := wireRecord(&ToolResult{
		ToolName: "shell", CallID: Some("k1"), Arguments: Some("{}"), DurationMS: Int64(900), Success: true, Output: Some("all of it"), MCPServer: Some("srv"),
	})
	agent := agentRecord(&ToolResult{
		ToolName: "shell", CallID: Some("k1"), DurationMS: Int64(31), Success: true, MCPOrigin: Some("user"),
	})
	agent.Remarks = &Remarks{Extra: []Pair{TextPair("agent_name", "/root")}}
	got := Merge(agent, wire)
	want := Record{
		Event: &ToolResult{
			ToolName: "shell", CallID: Some("k1"), Arguments: Some("{}"), DurationMS: Int64(31), Success: true, Output: Some("all of it"),
			MCPServer: Some("srv"), MCPOrigin: Some("user"),
		},
		Scope: &Scope{
			ConversationID: "c1", AuthMode: "ApiKey", Model: "m", TurnID: "t1", ResponseID: "r1",
			Resource: &Resource{ServiceName: "codex-cli", Environment: "prod"}, Profile: CodexProfile("0.100.0"),
		},
		Time: time.Unix(99, 0), Source: SourceBoth, ID: "wire-id",
		Remarks: &Remarks{Extra: []Pair{TextPair("agent_name", "/root")}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Merge() (-want +got):\n%s", diff)
	}
}

func TestMergeSettles(t *testing.T) {
	result := func(output string) *ToolResult { return &ToolResult{ToolName: "t", Output: Some(output)} }
	decision := func(decision, source string) *ToolDecision {
		return &ToolDecision{ToolName: "t", CallID: "k", Decision: decision, Decider: NonEmpty(source)}
	}
	for name, test := range map[string]struct {
		agent, wire, want Event
		differ            string
	}{
		"preview of the output": {result("one\n" + previewNotice), result("one\ntwo"), result("one\ntwo"), ""},
		"preview cut in a line": {result("one\ntw\n" + previewNotice), result("one\ntwo"), result("one\ntwo"), ""},
		"preview of another":    {result("two\n" + previewNotice), result("one\ntwo"), result("two\n" + previewNotice), "output"},
		"other output":          {result("one"), result("two"), result("one"), "output"},
		"approval known better": {decision("approved_for_session", "user"), decision("approved", ""), decision("approved_for_session", "user"), ""},
		"approval known better by the traffic": {
			decision("approved", "user"), decision("approved_for_session", ""), decision("approved_for_session", "user"), "",
		},
		"timed out":       {decision("timed_out", "AutomatedReviewer"), decision("denied", "config"), decision("timed_out", "AutomatedReviewer"), "source"},
		"source in case":  {decision("denied", "user"), decision("denied", "User"), decision("denied", "user"), ""},
		"other decision":  {decision("approved", "user"), decision("denied", "config"), decision("approved", "user"), "decision, source"},
		"redacted prompt": {&UserPrompt{Length: 5, Prompt: Some(Redacted)}, &UserPrompt{Length: 5, Prompt: Some("hello")}, &UserPrompt{Length: 5, Prompt: Some("hello")}, ""},
		"prompt told":     {&UserPrompt{Length: 5, Prompt: Some("hello")}, &UserPrompt{Length: 5, Prompt: Some(Redacted)}, &UserPrompt{Length: 5, Prompt: Some("hello")}, ""},
		"other length":    {&UserPrompt{Length: 6, Prompt: Some("hello ")}, &UserPrompt{Length: 5, Prompt: Some("hello")}, &UserPrompt{Length: 6, Prompt: Some("hello ")}, "prompt_length, prompt"},
		"arguments spelled differently": {
			&ToolResult{Arguments: Some(`{"a": 1, "b": 2}`)}, &ToolResult{Arguments: Some(`{"b":2,"a":1}`)}, &ToolResult{Arguments: Some(`{"a": 1, "b": 2}`)}, "",
		},
		"success":        {&ToolResult{Success: true}, &ToolResult{}, &ToolResult{Success: true}, "success"},
		"first releases": {&ToolDecision{ToolName: "local_shell"}, &ToolDecision{ToolName: "shell"}, &ToolDecision{ToolName: "local_shell"}, ""},
		"hook":           {&ToolResult{ToolName: "Bash"}, &ToolResult{ToolName: "exec_command"}, &ToolResult{ToolName: "exec_command"}, ""},
		"servers in another order": {
			&ConversationStarts{MCPServers: Some("a, b"), ContextWindow: Int64(1)}, &ConversationStarts{MCPServers: Some("b, a"), ContextWindow: Int64(2)},
			&ConversationStarts{MCPServers: Some("a, b"), ContextWindow: Int64(1)}, "context_window",
		},
	} {
		got := Merge(agentRecord(test.agent), wireRecord(test.wire))
		if diff := cmp.Diff(test.want, got.Event); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got.Disagreement() != test.differ {
			t.Errorf("%s: disagreement = %q; want %q", name, got.Disagreement(), test.differ)
		}
	}
}

func TestMergeDropsWhatIsWhole(t *testing.T) {
	agent := agentRecord(&ToolResult{Output: Some("a\n" + previewNotice), Truncated: Some(true)})
	agent.Remarks = &Remarks{Extra: []Pair{TextPair("turn.id", "x")}}
	got := Merge(agent, wireRecord(&ToolResult{Output: Some("a\nb")}))
	if diff := cmp.Diff(&ToolResult{Output: Some("a\nb")}, got.Event); diff != "" {
		t.Errorf("Merge() (-want +got):\n%s", diff)
	}
	if got.Remarks != nil {
		t.Errorf("Remarks = %+v; want none: turn.id is the traffic's", got.Remarks)
	}
}

func TestMergeUnifiedExec(t *testing.T) {
	got := Merge(agentRecord(&ToolResult{Success: true}), wireRecord(&ToolResult{ProcessFailed: true, Interrupted: true}))
	if diff := cmp.Diff(&ToolResult{ProcessFailed: true}, got.Event); diff != "" || got.Remarks != nil {
		t.Errorf("Merge() = %+v, remarks %+v; want a failed process, which Codex calls a success, and no disagreement", got.Event, got.Remarks)
	}
}

func TestMergeNamespace(t *testing.T) {
	split := &ToolDecision{ToolName: "search", Namespace: Some("mcp__docs"), CallID: "k"}
	for _, joined := range []string{"mcp__docssearch", "mcp__docs__search"} {
		for _, got := range []Record{
			Merge(agentRecord(&ToolDecision{ToolName: joined, CallID: "k"}), wireRecord(split)),
			Merge(agentRecord(split), wireRecord(&ToolDecision{ToolName: joined, CallID: "k"})),
		} {
			if diff := cmp.Diff(split, got.Event); diff != "" || got.Remarks != nil {
				t.Errorf("Merge() of %s, remarks %+v (-want +got):\n%s", joined, got.Remarks, diff)
			}
		}
	}
}

func TestMergeScopeDisagreement(t *testing.T) {
	agent, wire := agentRecord(&UserPrompt{}), wireRecord(&UserPrompt{})
	agent.Scope.AuthMode, wire.Scope.AuthMode = "Chatgpt", "ChatGPT"
	agent.Scope.Model = "o3"
	got := Merge(agent, wire)
	if got.Scope.Model != "o3" || got.Disagreement() != "model" {
		t.Errorf("Merge() = model %s, disagreement %q; want the agent's, and that they differ", got.Scope.Model, got.Disagreement())
	}
	encoded := values(t, encode(&Encoder{}, got)[0])
	if encoded["telemetry.disagreement"] != "model" || encoded["telemetry.source"] != "both" {
		t.Errorf("attributes = %v; want source both and a disagreement", encoded)
	}
}

// Three tellings make the same record in whatever order they come.
func TestMergeThree(t *testing.T) {
	wire := wireRecord(&ToolDecision{ToolName: "shell", CallID: "k", Decision: "approved"})
	logs := agentRecord(&ToolDecision{ToolName: "shell", CallID: "k", Decision: "approved_for_session", Decider: Some("user")})
	logs.Scope.Profile = CodexProfile("0.99.0")
	hook := agentRecord(&ToolDecision{ToolName: "Bash", CallID: "k", Decision: "approved"})
	hook.ID, hook.Scope.AccountID = "hook-id", "a1"
	first := Merge(Merge(logs, hook), wire)
	second := Merge(logs, Merge(hook, wire))
	third := Merge(Merge(logs, wire), hook)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the report first, then the traffic (-agents first +hook and traffic first):\n%s", diff)
	}
	if diff := cmp.Diff(first, third); diff != "" {
		t.Errorf("(-agents first +hook last):\n%s", diff)
	}
	if first.Source != SourceBoth || first.ID != "wire-id" || first.Disagreement() != "" {
		t.Errorf("Merge() = %+v; want source both, the traffic's id and no disagreement", first)
	}
}
