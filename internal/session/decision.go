package session

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// decidable reports whether Codex decides about each call of a tool before it
// runs.
func decidable(tool string) bool {
	switch tool {
	case "shell", "container.exec", "local_shell", "shell_command", "exec_command", "apply_patch":
		return true
	default:
		return false
	}
}

// decision returns what the output shows of the decision about the call, nil for
// nothing. approval is the policy of the conversation, "" if it is not known.
func (r *result) decision(approval string) *events.ToolDecision {
	if !r.profile.Codex {
		return nil
	}
	decided := &events.ToolDecision{ToolName: r.call.Name, Namespace: events.NonEmpty(r.call.Namespace), CallID: r.call.ID}
	var source string
	switch {
	case decidable(r.call.Name):
		decided.Decision, source = r.execDecision(approval)
	case mcpServer(r.call, r.profile) != "" && r.outcome.Says(responses.RejectedMCP):
		decided.Decision, source = events.DecisionDenied, events.DecidedByUser
	case mcpServer(r.call, r.profile) != "" && r.outcome.Says(responses.CanceledMCP):
		decided.Decision, source = events.DecisionAbort, events.DecidedByUser
	}
	if decided.Decision == "" {
		return nil
	}
	decided.Decider, decided.Patch = events.NonEmpty(source), patches(r.call.Arguments)
	return decided
}

// patches reports whether the arguments of a shell are a call of apply_patch,
// which Codex takes for a patch wherever it comes from.
func patches(arguments string) bool {
	command := gjson.Get(arguments, "command").Array()
	switch {
	case len(command) == 2:
		return isPatchTool(command[0].Str)
	case len(command) == 3 && command[1].Str == "-lc":
		name, _, _ := strings.Cut(strings.TrimSpace(command[2].Str), " ")
		return isPatchTool(name)
	default:
		return false
	}
}

func isPatchTool(name string) bool { return name == "apply_patch" || name == "applypatch" }

// execDecision reads the output of a command or a patch. One that ran was
// approved: by whom shows only where nobody is ever asked.
func (r *result) execDecision(approval string) (decision, source string) {
	refusal, wrapped := refusalOf(r.output)
	switch {
	case r.outcome.Interrupted:
		return "", ""
	case r.outcome.Ran, triedToRun(r.output), wrapped && strings.HasPrefix(refusal, "Failed to create "):
		if approval == "never" {
			source = events.DecidedByConfig
		}
		return events.DecisionApproved, source
	}
	switch refusal {
	case "exec command rejected by user", "patch rejected by user", "rejected by user":
		return events.DecisionDenied, events.DecidedByUser
	case "exec command aborted by user":
		return events.DecisionAbort, events.DecidedByUser
	case "rejected by configuration":
		return events.DecisionDenied, events.DecidedByConfig
	}
	switch {
	case strings.HasPrefix(refusal, "exec command rejected: "), strings.HasPrefix(refusal, "patch rejected: "),
		strings.HasPrefix(refusal, "`") && strings.Contains(refusal, "` rejected: "):
		return events.DecisionDenied, events.DecidedByConfig
	case strings.HasPrefix(refusal, "automatic approval review denied the action"),
		strings.HasPrefix(refusal, "This action was rejected due to unacceptable risk."):
		return events.DecisionDenied, events.DecidedByReviewer
	default:
		return "", ""
	}
}

// triedToRun reports whether an output tells of a command that was approved and
// then failed before it could run, or while its sandbox watched it.
func triedToRun(output string) bool {
	if strings.HasPrefix(output, "exec_command failed") {
		return strings.Contains(output, "SandboxDenied {") || strings.Contains(output, "Codex(Sandbox(Denied")
	}
	for _, start := range []string{"execution error", "failed in sandbox", "command args are empty"} {
		if strings.HasPrefix(output, start) {
			return true
		}
	}
	return false
}

// refusalOf returns why a command was not run. Unified exec tells the reason as
// Rust prints it, in the error of a process that was not created.
func refusalOf(output string) (reason string, wrapped bool) {
	const before, after = `CreateProcess { message: "Rejected(\"`, `\")" }`
	if !strings.HasPrefix(output, "exec_command failed") {
		return output, false
	}
	_, rest, ok := strings.Cut(output, before)
	if !ok {
		return output, false
	}
	reason, _, ok = strings.Cut(rest, after)
	if !ok {
		return output, false
	}
	return reason, true
}
