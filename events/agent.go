package events

import "fmt"

// Names of the events that describe what the agent does.
const (
	NameConversationStarts = "codex.conversation_starts"
	NameUserPrompt         = "codex.user_prompt"
	NameToolDecision       = "codex.tool_decision"
	NameToolResult         = "codex.tool_result"
)

// ConversationStarts is codex.conversation_starts: a conversation begins or is
// resumed. It mirrors SessionTelemetry::conversation_starts.
type ConversationStarts struct {
	ProviderName          Opt[string] `attr:"provider_name" doc:"Display name of the model provider." absent:"the agent does not say"`
	ReasoningEffort       Opt[string] `attr:"reasoning_effort" doc:"Reasoning effort as configured, or as the requests ask for it." absent:"not configured" differs:"schema codex leaves out medium since 0.88: Codex asks for it by itself"`
	ReasoningSummary      Opt[string] `attr:"reasoning_summary" doc:"auto, concise, detailed or none." absent:"the agent does not say"`
	ContextWindow         Opt[int64]  `attr:"context_window" unit:"{token}" doc:"Size of the context window." absent:"not configured"`
	MaxOutputTokens       Opt[int64]  `attr:"max_output_tokens" unit:"{token}" doc:"Limit on output tokens." absent:"not configured" differs:"Codex dropped it in November 2025, after 0.58"`
	AutoCompactTokenLimit Opt[int64]  `attr:"auto_compact_token_limit" unit:"{token}" doc:"Tokens at which the conversation is compacted." absent:"not configured"`
	ApprovalPolicy        Opt[string] `attr:"approval_policy" doc:"untrusted, on-failure, on-request or never." absent:"the agent does not say"`
	SandboxPolicy         Opt[string] `attr:"sandbox_policy" doc:"danger-full-access, read-only or workspace-write." absent:"the agent does not say"`
	MCPServers            Opt[string] `attr:"mcp_servers" doc:"Names of the MCP servers, joined with a comma and a space; empty for none." absent:"the agent does not say"`
	ActiveProfile         Opt[string] `attr:"active_profile" doc:"Configuration profile in use." absent:"none" differs:"Codex dropped it in May 2026"`
}

// EventName implements Event.
func (*ConversationStarts) EventName() string { return NameConversationStarts }

// Failed implements Event.
func (*ConversationStarts) Failed() bool { return false }

// Summary implements Event.
func (*ConversationStarts) Summary() string { return "conversation starts" }

// Redacted stands for a prompt that may not be told.
const Redacted = "[REDACTED]"

// UserPrompt is codex.user_prompt: the user said something. It mirrors
// SessionTelemetry::user_prompt.
type UserPrompt struct {
	Length int64       `attr:"prompt_length" codex:"string" unit:"{character}" doc:"Unicode characters of the prompt, also when it is redacted." differs:"a string in Codex"`
	Prompt Opt[string] `attr:"prompt" doc:"The prompt, [REDACTED], or hmac-sha256: and its hash, as configured." absent:"content.prompts is off"`
}

// EventName implements Event.
func (*UserPrompt) EventName() string { return NameUserPrompt }

// Failed implements Event.
func (*UserPrompt) Failed() bool { return false }

// Summary implements Event.
func (e *UserPrompt) Summary() string { return fmt.Sprintf("prompt of %d characters", e.Length) }

// Decisions and their sources, as documented.
const (
	DecisionApproved           = "approved"
	DecisionApprovedForSession = "approved_for_session"
	DecisionDenied             = "denied"
	DecisionAbort              = "abort"

	DecidedByConfig   = "config"
	DecidedByUser     = "user"
	DecidedByReviewer = "automated_reviewer"
)

// ToolDecision is codex.tool_decision: a tool call was allowed or refused. It
// mirrors SessionTelemetry::tool_decision.
type ToolDecision struct {
	ToolName  string      `attr:"tool_name" doc:"Tool as the model called it." differs:"schema codex puts the namespace before it for Codex before 0.150 and writes local_shell for the shell of 0.45 to 0.48, as Codex did"`
	Namespace Opt[string] `attr:"tool_namespace" doc:"Namespace of the tool, such as mcp__server." absent:"the call names none" differs:"in Codex since 0.150, functions for none; schema codex leaves it out before"`
	CallID    string      `attr:"call_id" doc:"Id of the call."`
	Decision  string      `attr:"decision" doc:"approved, approved_for_session, denied or abort." differs:"schema codex spells approvedforsession for Codex before 0.148, as Codex did, and leaves out decisions that the release did not tell"`
	// Patch marks a command that is a patch: some releases decide about it as about
	// a patch.
	Patch   bool
	Decider Opt[string] `attr:"source" doc:"Who decided: config, user or automated_reviewer." absent:"nothing shows it" differs:"schema codex spells Config, User and AutomatedReviewer, as Codex does"`
}

// EventName implements Event.
func (*ToolDecision) EventName() string { return NameToolDecision }

// Failed implements Event.
func (*ToolDecision) Failed() bool { return false }

// Summary implements Event.
func (e *ToolDecision) Summary() string { return e.ToolName + ": " + e.Decision }

// ToolResult is codex.tool_result: a tool call was carried out, or was not. It
// mirrors SessionTelemetry::tool_result.
type ToolResult struct {
	ToolName   string      `attr:"tool_name" doc:"Tool as the model called it." differs:"schema codex puts the namespace before it for Codex before 0.150, as Codex did"`
	Namespace  Opt[string] `attr:"tool_namespace" doc:"Namespace of the tool, such as mcp__server." absent:"the call names none" differs:"in Codex since 0.150, functions for none; schema codex leaves it out before"`
	CallID     Opt[string] `attr:"call_id" doc:"Id of the call." absent:"the call has none"`
	Arguments  Opt[string] `attr:"arguments" doc:"Arguments as the model wrote them; for a local shell call the words of the command joined by spaces." absent:"nobody knows them"`
	DurationMS Opt[int64]  `attr:"duration_ms" codex:"string" unit:"ms" doc:"Execution time." absent:"nobody measured it" differs:"a string in Codex, which includes the wait for an approval"`
	Success    bool        `attr:"success,bool-string" doc:"Whether the tool succeeded: the string true or false."`
	Output     Opt[string] `attr:"output" doc:"Text given back to the model; of an image its length." absent:"nobody knows it" differs:"schema codex cuts that of a success to a preview since 0.45, and writes that of the shell as JSON and an image as its URL before 0.132, as Codex did"`
	Truncated  Opt[bool]   `attr:"output_truncated" doc:"Whether the output was cut to a preview." absent:"it was not, or the release of Codex does not tell" differs:"in Codex since 0.150; only schema codex cuts"`
	MCPServer  Opt[string] `attr:"mcp_server" doc:"MCP server that ran the tool; empty for built-in tools." absent:"nobody knows it" differs:"in Codex since 0.105; schema codex leaves it out before"`
	MCPOrigin  Opt[string] `attr:"mcp_server_origin" doc:"Where the MCP server came from; empty for built-in tools." absent:"nobody knows it" differs:"in Codex since 0.105; schema codex leaves it out before"`
	AgentName  Opt[string] `attr:"agent_name" doc:"Name of the agent that called the tool, such as /root." absent:"a sub-agent, whose requests do not say, or a release of Codex that does not" differs:"in Codex since 0.150; schema codex leaves it out before"`
	// ProcessFailed marks a command of unified exec (exec_command, write_stdin)
	// that ended with an exit code other than 0. Codex calls that a success.
	ProcessFailed bool
	// Image is the image that the output has, nil for none or several. Output has
	// the words of [Image.Omitted] in its place.
	Image *Image
	// Interrupted marks a call that was stopped, or that the agent has no output
	// of. Codex tells nothing about those, so neither does the codex schema.
	Interrupted bool
}

// EventName implements Event.
func (*ToolResult) EventName() string { return NameToolResult }

// Failed implements Event.
func (e *ToolResult) Failed() bool { return !e.Success }

// Summary implements Event.
func (e *ToolResult) Summary() string {
	outcome := "failed"
	if e.Success {
		outcome = "succeeded"
	}
	if !e.DurationMS.Set {
		return e.ToolName + " " + outcome
	}
	return fmt.Sprintf("%s %s in %d ms", e.ToolName, outcome, e.DurationMS.Value)
}
