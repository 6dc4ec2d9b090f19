package events

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// verdict says which of two values of an attribute is told.
type verdict uint8

const (
	// disagree keeps the report's value and says that there was another.
	disagree verdict = iota
	// takeReport keeps the report's value, which says the same or knows better.
	takeReport
	// takeOther takes the other value, which says more of the same.
	takeOther
)

// Names that Codex itself gives to whatever tool runs commands: on the decisions
// of its first releases, and in hooks.
const (
	decidedShell = "local_shell"
	hookShell    = "Bash"
)

// compare settles two different values of an attribute.
func compare(f field, told, seen reflect.Value) verdict {
	report, other := f.text(told), f.text(seen)
	switch f.name {
	case "duration_ms":
		// The traffic shows when a result came, not how long the tool took.
		return takeReport
	case "prompt":
		return among(other == Redacted, report == Redacted)
	case "decision":
		return compareDecisions(report, other)
	case "output":
		return compareOutputs(report, other)
	case "tool_name":
		return compareTools(report, other)
	case "arguments":
		return among(sameJSON(report, other), false)
	case "mcp_servers":
		return among(sameNames(report, other), false)
	case "auth_mode", "source":
		return among(strings.EqualFold(report, other), false)
	default:
		return disagree
	}
}

// compareTools takes the model's name for a tool over Codex's own in a hook. The
// decisions of its first releases keep theirs.
func compareTools(report, other string) verdict {
	switch {
	case report == hookShell:
		return takeOther
	case other == hookShell, report == decidedShell && strings.Contains(other, "shell"):
		return takeReport
	default:
		return disagree
	}
}

// debugResult begins what Codex before 0.105 told of a result of an MCP tool: the
// value in its memory, in Rust's notation.
const debugResult = "Ok(CallToolResult {"

// compareOutputs takes what the model got over what Codex cut of it.
func compareOutputs(report, other string) verdict {
	cut, ok := strings.CutSuffix(report, previewNotice)
	preview := ok && strings.HasPrefix(other, strings.TrimSuffix(cut, "\n"))
	return among(strings.HasPrefix(report, debugResult), preview)
}

// among returns the verdict that a comparison found, disagree for none.
func among(report, other bool) verdict {
	switch {
	case other:
		return takeOther
	case report:
		return takeReport
	default:
		return disagree
	}
}

// compareDecisions takes the more exact of two decisions that mean the same.
func compareDecisions(report, other string) verdict {
	switch outcome := Outcome(report); {
	case outcome != Outcome(other):
		return disagree
	case report == outcome:
		return takeOther
	default:
		return takeReport
	}
}

// Outcome returns what a decision comes to: approved, denied or abort. A call
// whose approval timed out was denied. What newer releases of Codex may say is
// its own outcome.
func Outcome(decision string) string {
	switch {
	case strings.HasPrefix(decision, DecisionApproved):
		return DecisionApproved
	case strings.HasPrefix(decision, DecisionDenied), decision == "timed_out":
		return DecisionDenied
	default:
		return decision
	}
}

// sameJSON reports whether two texts are the same JSON, spelled differently.
func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// sameNames reports whether two lists have the same names; Codex's come from a
// hash map, in any order.
func sameNames(a, b string) bool {
	x, y := strings.Split(a, separator), strings.Split(b, separator)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}
