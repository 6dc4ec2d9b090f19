package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/codex-proxy/codex-proxy/events"
)

// Asked remembers, between two runs of a hook, that a user was asked.
type Asked interface {
	// Remember notes a question by its key, which has no content.
	Remember(key string) error
	// Recall reports whether a question was noted, and forgets it.
	Recall(key string) bool
}

// hookInput is what Codex writes to the standard input of a hook, as far as it is
// of use here (codex-rs/hooks, schema/generated/*.command.input.schema.json).
type hookInput struct {
	Name      string          `json:"hook_event_name"`
	SessionID string          `json:"session_id"`
	AgentID   string          `json:"agent_id"` // the thread of a sub-agent
	TurnID    string          `json:"turn_id"`
	Model     string          `json:"model"`
	Source    string          `json:"source"`
	Prompt    *string         `json:"prompt"`
	ToolName  string          `json:"tool_name"`
	ToolUseID string          `json:"tool_use_id"`
	ToolInput json.RawMessage `json:"tool_input"`
}

// hookTools are the tools that Codex decides about before each call, by the names
// its hooks give them.
var hookTools = [...]string{"Bash", "apply_patch"}

// CodexHookItem returns the item of the events endpoint that a hook's input tells,
// nil when it tells none:
//
//   - SessionStart is the start of a conversation, unless the session was only
//     compacted.
//   - UserPromptSubmit is a prompt.
//   - PermissionRequest asks the user. That is remembered until the call is made.
//   - PostToolUse is the approval of a call: by the user who was asked, else by the
//     configuration. Of tools that need none it tells nothing.
//
// Results are the traffic's to tell: no hook says whether a command succeeded. A
// refused call has no hook; the traffic shows it.
func CodexHookItem(input []byte, asked Asked) ([]byte, error) {
	var hook hookInput
	if err := json.Unmarshal(input, &hook); err != nil {
		return nil, errors.New("read hook: standard input is not what a hook of Codex gets")
	}
	item := map[string]any{"conversation.id": hook.SessionID}
	if hook.AgentID != "" {
		item["conversation.id"] = hook.AgentID
	}
	if hook.Name == "" || item["conversation.id"] == "" {
		return nil, errors.New("read hook: standard input has no hook_event_name or session_id")
	}
	switch hook.Name {
	case "SessionStart":
		if hook.Source == "compact" {
			return nil, nil
		}
		item[keyName] = events.NameConversationStarts
	case "UserPromptSubmit":
		if hook.Prompt == nil {
			return nil, errors.New("read hook: a UserPromptSubmit has no prompt")
		}
		item[keyName], item["prompt"] = events.NameUserPrompt, *hook.Prompt
	case "PermissionRequest":
		if err := asked.Remember(hook.question()); err != nil {
			return nil, fmt.Errorf("remember question: %w", err)
		}
		return nil, nil
	case "PostToolUse":
		byUser := asked.Recall(hook.question())
		if hook.ToolUseID == "" || !byUser && !slices.Contains(hookTools[:], hook.ToolName) {
			return nil, nil
		}
		item[keyName], item["tool_name"], item["call_id"] = events.NameToolDecision, hook.ToolName, hook.ToolUseID
		item["decision"], item["source"] = events.DecisionApproved, events.DecidedByConfig
		if byUser {
			item["source"] = events.DecidedByUser
		}
	default:
		return nil, nil
	}
	for key, value := range map[string]string{"turn.id": hook.TurnID, "model": hook.Model} {
		if value != "" {
			item[key] = value
		}
	}
	raw, err := json.Marshal(item)
	if err != nil {
		return nil, fmt.Errorf("make item: %w", err)
	}
	return raw, nil
}

// question names what a user is asked: a call of a tool with its input, in a turn.
// The question has no id of the call, and a description beside the call's input.
func (h *hookInput) question() string {
	var input map[string]any
	if err := json.Unmarshal(h.ToolInput, &input); err == nil {
		delete(input, "description")
		if sorted, err := json.Marshal(input); err == nil {
			h.ToolInput = sorted
		}
	}
	return events.ID(h.SessionID, h.AgentID, h.TurnID, h.ToolName, strings.TrimSpace(string(h.ToolInput)))
}
