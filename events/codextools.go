package events

import "strings"

// Which release of Codex tells what of its tools. The predicates are part of
// the table of profile.go; what a release tells was seen in its own export.

// decides reports whether Codex tells a decision.
func (p Profile) decides(d *ToolDecision) bool {
	if !p.Codex {
		return true
	}
	denied := d.Decision == DecisionDenied || d.Decision == DecisionAbort
	switch {
	case strings.HasPrefix(d.ToolName, "mcp__"), strings.HasPrefix(d.Namespace.Value, "mcp__"):
		return !p.before(150)
	case denied && d.Decider.Value == DecidedByConfig:
		// The sandboxes of 0.45 and later refuse without a decision; a patch was
		// always refused so.
		return p.before(45) && d.ToolName != "apply_patch" && !d.Patch
	case d.ToolName == "apply_patch", d.Patch && p.before(49):
		return !p.before(80) || !denied && (p.before(45) || !p.before(49))
	case d.ToolName == "exec_command":
		return !p.before(49)
	default:
		return true
	}
}

// tellsNamespace reports whether Codex has tool_namespace, output_truncated and
// agent_name.
func (p Profile) tellsNamespace() bool { return !p.before(150) }

// previewsOutput reports whether Codex cuts the output of a success.
func (p Profile) previewsOutput() bool { return !p.before(45) }

// structuresShell reports whether Codex tells the output of the shell as the
// JSON that it has turned into text for the model.
func (p Profile) structuresShell() bool { return !p.before(45) && p.before(132) }

// tellsMCPResults reports whether Codex tells results of MCP tools
// (openai/codex#4510).
func (p Profile) tellsMCPResults() bool { return !p.before(45) }

// asksForEffort reports whether Codex asks for an effort that nobody configured:
// that of the model's own description, most often medium.
func (p Profile) asksForEffort() bool { return !p.before(88) }

// expandConversationStarts leaves out an effort that may not be the configured
// one. An agent that tells of itself knows.
func expandConversationStarts(r Record, event ConversationStarts, yield func(Record)) {
	profile := r.Scope.Profile
	if r.Source == SourceWire && profile.Codex && profile.asksForEffort() && event.ReasoningEffort.Value == "medium" {
		event.ReasoningEffort = Opt[string]{}
	}
	r.Event = &event
	yield(r)
}

func expandToolDecision(r Record, event ToolDecision, yield func(Record)) {
	profile := r.Scope.Profile
	if r.Source == SourceWire && !profile.decides(&event) {
		return
	}
	if !profile.SplitsDecisions() {
		event.Decision = strings.ReplaceAll(event.Decision, "_", "")
	}
	event.Decider.Value = decider(event.Decider.Value)
	event.ToolName, event.Namespace = codexTool(event.ToolName, event.Namespace, profile)
	if (event.ToolName == "shell" || event.ToolName == "container.exec") && !profile.before(45) && profile.before(49) {
		event.ToolName = "local_shell"
	}
	r.Event = &event
	yield(r)
}

func expandToolResult(r Record, event ToolResult, yield func(Record)) {
	profile := r.Scope.Profile
	if r.Source == SourceWire && (event.Interrupted || event.MCPServer.Value != "" && !profile.tellsMCPResults()) {
		return
	}
	event.Success = event.Success || event.ProcessFailed
	event.Output, event.Truncated = codexOutput(&event, profile)
	event.ToolName, event.Namespace = codexTool(event.ToolName, event.Namespace, profile)
	if profile.Codex && !profile.tellsNamespace() {
		event.AgentName = Opt[string]{}
	}
	if !profile.TellsToolOrigin() {
		event.MCPServer, event.MCPOrigin = Opt[string]{}, Opt[string]{}
	}
	r.Event = &event
	yield(r)
}

// codexTool spells the name of a tool and its namespace.
func codexTool(name string, namespace Opt[string], profile Profile) (string, Opt[string]) {
	switch {
	case !profile.Codex:
		return name, namespace
	case profile.tellsNamespace():
		if !namespace.Set {
			namespace = Some("functions")
		}
		return name, namespace
	case profile.before(120):
		return name, Opt[string]{}
	default:
		return namespace.Value + name, Opt[string]{}
	}
}

// decider spells who decided: User, AutomatedReviewer.
func decider(source string) string {
	words := strings.Split(source, "_")
	for i, word := range words {
		if word != "" {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}
