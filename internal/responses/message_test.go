package responses_test

import (
	"fmt"
	"testing"
)

// What Codex injects in the role of the user, in every release that was run or
// read, is no prompt; what only looks like it is one.
func TestInputTellsPromptsFromContext(t *testing.T) {
	tests := map[string]struct {
		text   string
		prompt bool
	}{
		"environment":             {"<environment_context>\n  <cwd>/x</cwd>\n</environment_context>", false},
		"environment, spaced":     {"\n <ENVIRONMENT_CONTEXT>\n</environment_context>\n", false},
		"instructions of 2025":    {"<user_instructions>\n\nbe brief\n\n</user_instructions>", false},
		"instructions":            {"# AGENTS.md instructions for /x\n\n<INSTRUCTIONS>\nbe brief\n</INSTRUCTIONS>", false},
		"shell command":           {"<user_shell_command>\n<command>ls</command>\n</user_shell_command>", false},
		"aborted turn":            {"<turn_aborted>\nThe user interrupted the previous turn on purpose.\n</turn_aborted>", false},
		"sub-agent":               {"<subagent_notification>\n{}\n</subagent_notification>", false},
		"plugins":                 {"<recommended_plugins>\nx\n</recommended_plugins>", false},
		"internal context":        {"<codex_internal_context source=\"goal\">\nx\n</codex_internal_context>", false},
		"goal":                    {"<goal_context>x</goal_context>", false},
		"external":                {"<external_browser>x</external_browser>", false},
		"hook":                    {"<hook_prompt hook_run_id=\"1\">x</hook_prompt>", false},
		"skill":                   {"<skill>\n<name>x</name>\n</skill>", false},
		"review":                  {"<user_action>\n  <context>User initiated a review task.</context>\n</user_action>", false},
		"warning of a patch":      {"Warning: apply_patch was requested via shell. Use the apply_patch tool instead of exec_command.", false},
		"warning of processes":    {"Warning: The maximum number of unified exec processes you can keep open is 60 and you currently have 61", false},
		"summary":                 {"Another language model started to solve this problem and produced a summary of its thinking process. x", false},
		"summary of 2025":         {"You were originally given instructions from a user over one or more turns. Here were the user messages:\n\nhi", false},
		"compaction":              {"You are performing a CONTEXT CHECKPOINT COMPACTION. Create a handoff summary", false},
		"a question about a tag":  {"<environment_context> is what?", true},
		"a quotation":             {"what is <turn_aborted>x</turn_aborted>", true},
		"a question about AGENTS": {"# AGENTS.md instructions are wrong", true},
		"from an editor":          {"# Context from my IDE setup:\n\n## My request for Codex:\nfix it", true},
		"a warning":               {"Warning: apply_patch was requested via me", true},
		"anything":                {"hi", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			input := inputOf(fmt.Sprintf(`{"input":[{"role":"user","content":[{"type":"input_text","text":%q}]}]}`, test.text), 16)
			if got := len(input.Entries) == 1; got != test.prompt {
				t.Errorf("prompt = %t; want %t", got, test.prompt)
			}
			// One injected text makes the whole message context.
			input = inputOf(fmt.Sprintf(`{"input":[{"role":"user","content":[{"type":"input_text","text":"hi"},{"type":"input_text","text":%q}]}]}`, test.text), 16)
			if got := len(input.Entries) == 1; got != test.prompt {
				t.Errorf("prompt with another part = %t; want %t", got, test.prompt)
			}
		})
	}
}

// Where Codex itself says what a message consists of, that counts.
func TestInputBelievesContentKinds(t *testing.T) {
	tests := map[string]struct {
		text, kinds string
		prompt      bool
		model       bool
	}{
		"user":        {"<turn_aborted></turn_aborted>", `["user.text"]`, true, false},
		"environment": {"hi", `["environments.environment_context"]`, false, false},
		"both":        {"hi", `["user.image","user.text"]`, true, false},
		"summary":     {"hi", `["compaction.summary"]`, false, true},
	}
	for name, test := range tests {
		input := inputOf(fmt.Sprintf(
			`{"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":%q}],"internal_chat_message_metadata_passthrough":{"turn_id":"t","content_item_kinds":%s}}]}`,
			test.text, test.kinds,
		), 16)
		if got := len(input.Entries) == 1; got != test.prompt || input.Model != test.model {
			t.Errorf("%s: prompt, model = %t, %t; want %t, %t", name, got, input.Model, test.prompt, test.model)
		}
	}
}
