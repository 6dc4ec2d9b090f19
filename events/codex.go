package events

import "strings"

// expandCodex yields a record the way the agent's release of Codex would have
// told it. What codex-proxy adds beside Codex (cf_ray, ids, stream counts)
// stays: more attributes do not break a dashboard, other ones would.
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
		told := *event
		if !scope.Profile.SplitsDecisions() {
			told.Decision = strings.ReplaceAll(told.Decision, "_", "")
		}
		told.Decider.Value = capitalized(told.Decider.Value)
		r.Event = &told
		yield(r)
	default:
		yield(r)
	}
}

func expandAPIRequest(r Record, event APIRequest, yield func(Record)) {
	if event.ClientGone {
		return
	}
	if event.StatusCode.Set && r.Scope.Profile.Seed() {
		event.ErrorMessage = ""
	}
	r.Event = &event
	yield(r)
}

func expandSSEEvent(r Record, event SSEEvent, yield func(Record)) {
	usage := event.Usage
	event.Usage = nil
	switch {
	case event.ClientGone:
		return
	case usage == nil || event.ErrorMessage != "":
		r.Event = &event
		yield(r)
		return
	}
	id := r.ID
	first, second := event, event
	if event.DurationMS.Set {
		first.TTFTMS, first.ServiceTier, first.ReasoningEffort = Opt[int64]{}, "", ""
		r.Event = &first
		yield(r)
		id += "-tokens"
	}
	profile := r.Scope.Profile
	second.DurationMS = Opt[int64]{}
	second.Usage = codexUsage(*usage, profile)
	if !profile.TellsTTFT() {
		second.TTFTMS = Opt[int64]{}
	}
	if !profile.TellsTier() {
		second.ServiceTier, second.ReasoningEffort = "", ""
	}
	r.Event, r.ID = &second, id
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
