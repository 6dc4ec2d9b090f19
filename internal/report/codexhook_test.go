package report

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// notes is an Asked in memory.
type notes map[string]bool

// Remember implements Asked.
func (n notes) Remember(key string) error {
	if n == nil {
		return errors.New("disk full")
	}
	n[key] = true
	return nil
}

// Recall implements Asked.
func (n notes) Recall(key string) bool {
	known := n[key]
	delete(n, key)
	return known
}

// hookText returns what a real Codex 0.169 wrote to a hook.
func hookText(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "hooks", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestCodexHookItem(t *testing.T) {
	const session, turn = "01a208cf-bbce-7b33-bd28-d7e139876cb0", "01a208cf-bbef-7af1-ae6d-33892dcf33bc"
	approved := func(source string) map[string]any {
		return map[string]any{
			"event.name": "codex.tool_decision", "conversation.id": session, "turn.id": turn, "model": "gpt-5.5",
			"tool_name": "Bash", "call_id": "d_accept", "decision": "approved", "source": source,
		}
	}
	asked := notes{}
	for _, step := range []struct {
		name string
		text string
		want map[string]any
	}{
		{"start", hookText(t, "session_start"), map[string]any{"event.name": "codex.conversation_starts", "conversation.id": session, "model": "gpt-5.5"}},
		{"start after a compaction", strings.Replace(hookText(t, "session_start"), "startup", "compact", 1), nil},
		{"prompt", hookText(t, "user_prompt_submit"), map[string]any{
			"event.name": "codex.user_prompt", "conversation.id": session, "turn.id": turn, "model": "gpt-5.5", "prompt": "say hello",
		}},
		{"before a call", hookText(t, "pre_tool_use"), nil},
		{"nobody was asked", hookText(t, "post_tool_use"), approved("config")},
		{"question", hookText(t, "permission_request"), nil},
		{"the answer to another question", strings.Replace(hookText(t, "post_tool_use"), "touch a1", "touch a2", 1), approved("config")},
		{"the answer of another turn", strings.Replace(hookText(t, "post_tool_use"), turn, "t2", 1), func() map[string]any {
			item := approved("config")
			item["turn.id"] = "t2"
			return item
		}()},
		{"the user was asked", hookText(t, "post_tool_use"), approved("user")},
		{"nobody was asked again", hookText(t, "post_tool_use"), approved("config")},
		{"the end", hookText(t, "stop"), nil},
		{"a sub-agent", strings.Replace(hookText(t, "user_prompt_submit"), `"cwd"`, `"agent_id":"thread-2","agent_type":"worker","cwd"`, 1), map[string]any{
			"event.name": "codex.user_prompt", "conversation.id": "thread-2", "turn.id": turn, "model": "gpt-5.5", "prompt": "say hello",
		}},
		{"a tool that needs no approval", strings.Replace(hookText(t, "post_tool_use"), "Bash", "update_plan", 1), nil},
		{"a question about an MCP tool", strings.Replace(hookText(t, "permission_request"), "Bash", "mcp__srv__delete", 1), nil},
		{"an MCP tool", strings.Replace(hookText(t, "post_tool_use"), "Bash", "mcp__srv__delete", 1), func() map[string]any {
			item := approved("user")
			item["tool_name"] = "mcp__srv__delete"
			return item
		}()},
		{"something new", `{"hook_event_name":"SomethingNew","session_id":"s"}`, nil},
	} {
		item, err := CodexHookItem([]byte(step.text), asked)
		if err != nil {
			t.Errorf("%s: %v", step.name, err)
			continue
		}
		var got map[string]any
		if item != nil {
			decodeJSON(t, item, &got)
			h, _ := newTest(t, Config{})
			if _, problems := one(h, string(item)); problems != nil {
				t.Errorf("%s: the endpoint rejects it: %+v", step.name, problems)
			}
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	for key := range asked {
		t.Errorf("%s is still remembered", key)
	}
}

func TestCodexHookItemRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "hello", "an array": "[]", "no hook": `{"session_id":"s"}`, "no session": `{"hook_event_name":"Stop"}`,
		"no prompt": `{"hook_event_name":"UserPromptSubmit","session_id":"s"}`, "another type": `{"hook_event_name":1}`,
	} {
		if item, err := CodexHookItem([]byte(text), notes{}); err == nil || item != nil {
			t.Errorf("%s: CodexHookItem() = %s, %v; want an error", name, item, err)
		}
	}
	if _, err := CodexHookItem([]byte(hookText(t, "permission_request")), notes(nil)); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("CodexHookItem() = %v; want the disk's error", err)
	}
}

func TestNewItem(t *testing.T) {
	h, _ := newTest(t, Config{})
	raw, err := NewItem("tool_result", map[string]string{
		"conversation.id": "c1", "tool_name": "t", "success": "true", "duration_ms": " 12", "output": "7", "call_id": "5",
	})
	if err != nil {
		t.Fatal(err)
	}
	record, problems := one(h, string(raw))
	if problems != nil {
		t.Fatalf("the endpoint rejects %s: %+v", raw, problems)
	}
	got := attributes(record)
	if got["duration_ms"] != int64(12) || got["output"] != "7" || got["call_id"] != "5" || got["success"] != "true" {
		t.Errorf("attributes = %v; want a number where the event has one", got)
	}
	for name, texts := range map[string]map[string]string{"nope": nil, "conversation_starts": {"context_window": "many"}} {
		if raw, err := NewItem(name, texts); err == nil {
			t.Errorf("NewItem(%s) = %s; want an error", name, raw)
		}
	}
}
