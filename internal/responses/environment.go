package responses

import (
	"bytes"
	"strings"
)

// Environment is what an agent tells the model about where it works.
type Environment struct {
	ApprovalPolicy string // untrusted, on-failure, on-request, never or granular
	SandboxPolicy  string // danger-full-access, read-only or workspace-write
}

// add takes what a text tells. Codex told both in <environment_context>, later
// in the developer's <permissions instructions>; what comes later counts.
func (e *Environment) add(content []byte) {
	switch trimmed := bytes.TrimSpace(content); {
	case hasPrefixFold(trimmed, "<environment_context>"):
		e.set(between(trimmed, "<approval_policy>", "<"), between(trimmed, "<sandbox_mode>", "<"))
	case bytes.HasPrefix(trimmed, []byte("<permissions instructions>")):
		approval := between(trimmed, "`approval_policy` is `", "`")
		switch {
		case bytes.Contains(trimmed, []byte("Approval policy is currently never.")):
			approval = "never"
		case bytes.Contains(trimmed, []byte("Approval policy is `granular`.")):
			approval = "granular"
		case approval == "" && bytes.Contains(trimmed, []byte("# Escalation Requests")):
			approval = "on-request"
		}
		e.set(approval, between(trimmed, "`sandbox_mode` is `", "`"))
	}
}

func (e *Environment) set(approval, sandbox string) {
	if approval == "unless-trusted" {
		approval = "untrusted"
	}
	if approval != "" {
		e.ApprovalPolicy = approval
	}
	if sandbox != "" {
		e.SandboxPolicy = sandbox
	}
}

// between returns the short word that stands between two texts, "" for none.
func between(content []byte, before, after string) string {
	_, rest, ok := bytes.Cut(content, []byte(before))
	word, _, closed := strings.Cut(string(rest[:min(len(rest), 64)]), after)
	if !ok || !closed {
		return ""
	}
	return word
}

// toolOrigin reads the name or the namespace of a tool of Codex: the MCP server
// of mcp__server__tool, mcp__server or mcp__server__, and the prefix of any other
// name with two underscores.
func toolOrigin(name string) (server, prefix string) {
	rest, mcp := strings.CutPrefix(name, "mcp__")
	before, _, ok := strings.Cut(rest, "__")
	switch {
	case mcp:
		return before, ""
	case ok:
		return "", before
	default:
		return "", ""
	}
}
