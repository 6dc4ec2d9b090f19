package session

import (
	"strings"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// result is a tool call with its output.
type result struct {
	call    responses.Call
	output  string
	image   *events.Image // in the output
	outcome responses.Outcome
	profile events.Profile
}

func newResult(call responses.Call, output string, profile events.Profile) result {
	return result{call: call, output: output, outcome: responses.ParseOutcome(output), profile: profile}
}

// event tells the result. The call was made at since, the zero time if nobody
// saw it, and its output came at the given time.
func (r *result) event(since, at time.Time) *events.ToolResult {
	event := &events.ToolResult{
		ToolName:    r.call.Name,
		Namespace:   events.NonEmpty(r.call.Namespace),
		CallID:      events.Some(r.call.ID),
		Arguments:   events.Some(r.call.Arguments),
		Success:     r.success(),
		Output:      events.Some(r.output),
		Image:       r.image,
		Interrupted: r.outcome.Interrupted,
	}
	switch {
	case r.unsupported(), r.profile.Codex && refusedAtOnce(r.output):
		event.DurationMS = events.Some[int64](0) // Codex says so of what it did not even try.
	case r.outcome.Timed:
		event.DurationMS = events.Some(r.outcome.Took.Round(time.Millisecond).Milliseconds())
	case !since.IsZero():
		event.DurationMS = events.Some(events.Milliseconds(at.Sub(since)))
	}
	event.ProcessFailed = !event.Success && r.outcome.Ran && unifiedExec(r.call.Name)
	if r.profile.Codex {
		r.server(event)
	}
	return event
}

// server fills in where the tool is from.
func (r *result) server(event *events.ToolResult) {
	server := mcpServer(r.call, r.profile)
	if r.unsupported() {
		server = "" // Whatever the name looks like, no server has the tool.
	}
	event.MCPServer = events.Some(server)
	if server == "" {
		event.MCPOrigin = events.Some("")
	}
}

// unsupported reports that Codex has no such tool.
func (r *result) unsupported() bool {
	return r.profile.Codex && (strings.HasPrefix(r.output, "unsupported call: ") || strings.HasPrefix(r.output, "unsupported custom tool call: "))
}

// refusedAtOnce reports whether an output is that of a call which took no time:
// nobody was asked about it, and nothing was started.
func refusedAtOnce(output string) bool {
	for _, start := range []string{
		"patch rejected: ", "exec command rejected: ", "apply_patch verification failed", "failed to parse function arguments", "approval policy is ",
		"agent ids must be ",
	} {
		if strings.HasPrefix(output, start) {
			return true
		}
	}
	return false
}

// success says whether the tool did what it was called for. A command that tells
// no exit code has not run.
func (r *result) success() bool {
	if executes(r.call.Name) && !r.outcome.Ran && !strings.HasPrefix(r.output, "Success") {
		return false
	}
	return !r.outcome.Failed()
}

// executes reports whether a tool of Codex runs commands or applies patches.
func executes(tool string) bool {
	return decidable(tool) || tool == "write_stdin"
}

// unifiedExec reports whether a tool works on processes that may outlive the
// call.
func unifiedExec(tool string) bool { return tool == "exec_command" || tool == "write_stdin" }

// mcpServer returns the MCP server that a tool of Codex is from, "" for none: by
// its namespace, or by its name.
func mcpServer(call responses.Call, profile events.Profile) string {
	if !profile.Codex {
		return ""
	}
	for _, name := range []string{call.Namespace, call.Name} {
		if rest, ok := strings.CutPrefix(name, "mcp__"); ok {
			server, _, _ := strings.Cut(rest, "__")
			return server
		}
	}
	if namesServersFirst(profile) {
		if server, _, ok := strings.Cut(call.Name, "__"); ok {
			return server
		}
	}
	return ""
}

// namesServersFirst reports whether Codex calls an MCP tool server__tool; later
// it is mcp__server__tool.
func namesServersFirst(profile events.Profile) bool {
	return profile.Codex && profile.Major == 0 && profile.Minor < 49
}
