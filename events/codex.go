package events

import "strings"

// expandCodex yields a record the way the agent's release of Codex would have
// told it, without what that release did not know yet. What codex-proxy adds
// beside Codex (cf_ray, ids, stream counts) stays: more attributes do not break
// a dashboard, other ones would.
func expandCodex(r Record, yield func(Record)) {
	scope := *r.Scope
	scope.AuthMode = codexAuthMode(scope.AuthMode, scope.Profile)
	if !scope.Profile.TellsOriginator() {
		scope.Originator = ""
	}
	r.Scope = &scope
	switch event := r.Event.(type) {
	case *APIRequest:
		expandAPIRequest(r, *event, yield)
	case *SSEEvent:
		expandSSEEvent(r, *event, yield)
	case *ToolDecision:
		expandToolDecision(r, *event, yield)
	case *ToolResult:
		expandToolResult(r, *event, yield)
	default:
		yield(r)
	}
}

func expandAPIRequest(r Record, event APIRequest, yield func(Record)) {
	if event.ClientGone {
		return
	}
	profile := r.Scope.Profile
	if event.StatusCode.Set && profile.Seed() {
		event.ErrorMessage = ""
	}
	if !profile.TellsAuth() {
		event.Endpoint = ""
		event.HeaderSent, event.HeaderName, event.AfterUnauth = Opt[bool]{}, "", Opt[bool]{}
		event.ErrRequestID, event.ErrCFRay, event.AuthError, event.AuthCode = "", "", "", ""
	}
	r.Event = &event
	yield(r)
}

// expandSSEEvent tells a completion with usage twice, as Codex does: with its
// duration, then with the tokens. What describes the whole stream goes with the
// tokens alone, so that nobody counts it twice.
func expandSSEEvent(r Record, event SSEEvent, yield func(Record)) {
	if event.ClientGone {
		return
	}
	plain := event
	plain.Usage, plain.TTFTMS, plain.ServiceTier, plain.ReasoningEffort = nil, Opt[int64]{}, "", ""
	if event.Usage == nil || event.ErrorMessage != "" {
		r.Event = &plain
		yield(r)
		return
	}
	id := r.ID
	if event.DurationMS.Set {
		plain.EndedBy = ""
		plain.StreamEvents, plain.StreamDeltas, plain.StreamBytes = Opt[int64]{}, Opt[int64]{}, Opt[int64]{}
		r.Event = &plain
		yield(r)
		if id != "" {
			id += "-tokens"
		}
	}
	profile := r.Scope.Profile
	event.DurationMS = Opt[int64]{}
	event.Usage = codexUsage(*event.Usage, profile)
	if !profile.TellsTTFT() {
		event.TTFTMS = Opt[int64]{}
	}
	if !profile.TellsTier() {
		event.ServiceTier, event.ReasoningEffort = "", ""
	}
	r.Event, r.ID = &event, id
	yield(r)
}

func expandToolDecision(r Record, event ToolDecision, yield func(Record)) {
	if !r.Scope.Profile.SplitsDecisions() {
		event.Decision = strings.ReplaceAll(event.Decision, "_", "")
	}
	event.Decider.Value = capitalized(event.Decider.Value)
	r.Event = &event
	yield(r)
}

func expandToolResult(r Record, event ToolResult, yield func(Record)) {
	if !r.Scope.Profile.TellsToolOrigin() {
		event.MCPServer, event.MCPOrigin = Opt[string]{}, Opt[string]{}
	}
	r.Event = &event
	yield(r)
}

func codexUsage(usage Usage, profile Profile) *Usage {
	if profile.ZeroFillsTokens() {
		usage.Cached.Set, usage.Reasoning.Set, usage.CacheWrite.Set = true, true, true
	}
	if !profile.TellsCacheWrite() {
		usage.CacheWrite = Opt[int64]{}
	}
	return &usage
}

func codexAuthMode(mode string, profile Profile) string {
	if mode == "ChatGPT" && profile.SpellsChatgpt() {
		return "Chatgpt"
	}
	return mode
}

func capitalized(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
