package report

import (
	"strings"

	"github.com/codex-proxy/codex-proxy/events"
)

// decisions are those of every release of Codex, without case and separators:
// the first releases wrote the lower-cased names of an enum, later ones split the
// words (openai/codex#38299), and others write the names as they are in the code.
// What the documentation does not know keeps the name that Codex gives it.
var decisions = [...]string{
	events.DecisionApproved,
	events.DecisionApprovedForSession,
	events.DecisionDenied,
	events.DecisionAbort,
	"approved_with_amendment",
	"approved_mcp_policy_amendment",
	"approved_with_network_policy_allow",
	"denied_with_network_policy_deny",
	"timed_out",
}

// decisionOf spells a decision as the catalogue does; one that it does not know
// stays as the agent spelled it.
func decisionOf(told string) string {
	folded := fold(told)
	switch folded {
	case "aborted":
		return events.DecisionAbort
	case "approvedexecpolicyamendment":
		return "approved_with_amendment"
	}
	for _, known := range decisions {
		if folded == strings.ReplaceAll(known, "_", "") {
			return known
		}
	}
	return told
}

// deciderOf spells the source of a decision as the catalogue does; one that it
// does not know stays as the agent spelled it.
func deciderOf(told string) string {
	folded := fold(told)
	for _, known := range []string{events.DecidedByConfig, events.DecidedByUser, events.DecidedByReviewer} {
		if folded == strings.ReplaceAll(known, "_", "") {
			return known
		}
	}
	return told
}

// namespaceOf leaves out the namespace that Codex writes for tools that have none.
func namespaceOf(told events.Opt[string]) events.Opt[string] {
	if told.Value == "functions" {
		return events.Opt[string]{}
	}
	return told
}
