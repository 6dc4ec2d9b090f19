package events

// expandCodex yields a record the way the agent's release of Codex would have
// told it, without what that release did not know yet. What codex-proxy adds
// beside Codex (cf_ray, ids, stream counts) stays: more attributes do not break
// a dashboard, other ones would.
func expandCodex(r Record, yield func(Record)) {
	r.Scope = codexScope(r.Scope)
	switch event := r.Event.(type) {
	case *APIRequest:
		expandAPIRequest(r, *event, yield)
	case *SSEEvent:
		expandSSEEvent(r, event, yield)
	case *WebSocketConnect:
		expandWebSocketConnect(r, *event, yield)
	case *ConversationStarts:
		expandConversationStarts(r, *event, yield)
	case *WebSocketRequest:
		expandWebSocketRequest(r, *event, yield)
	case *ToolDecision:
		expandToolDecision(r, *event, yield)
	case *ToolResult:
		expandToolResult(r, *event, yield)
	default:
		yield(r)
	}
}

// codexScope returns the scope itself where Codex tells it the same way: that is
// the case for most, and there is one record for every piece of text.
func codexScope(scope *Scope) *Scope {
	mode, originator := codexAuthMode(scope.AuthMode, scope.Profile), scope.Originator
	if !scope.Profile.TellsOriginator() {
		originator = ""
	}
	if mode == scope.AuthMode && originator == scope.Originator {
		return scope
	}
	told := *scope
	told.AuthMode, told.Originator = mode, originator
	return &told
}

func expandAPIRequest(r Record, event APIRequest, yield func(Record)) {
	if event.ClientGone {
		return
	}
	profile := r.Scope.Profile
	switch {
	case event.StatusCode.Set && profile.Seed():
		event.ErrorMessage = ""
	case event.Refusal != "" && profile.TellsRefusal():
		event.ErrorMessage = event.Refusal
	}
	if !profile.TellsAuth() {
		event.Endpoint = ""
		event.HeaderSent, event.HeaderName, event.AfterUnauth = Opt[bool]{}, "", Opt[bool]{}
		event.ErrRequestID, event.ErrCFRay, event.AuthError, event.AuthCode = "", "", "", ""
	}
	r.Event = &event
	yield(r)
}

func expandWebSocketConnect(r Record, event WebSocketConnect, yield func(Record)) {
	if event.ClientGone {
		return
	}
	if event.Success {
		event.StatusCode = Opt[int64]{}
	}
	if !r.Scope.Profile.TellsReauth() {
		event.Reauth = Opt[bool]{}
	}
	r.Event = &event
	yield(r)
}

// expandWebSocketRequest tells the first request of a connection as releases
// did that made connections only when they asked.
func expandWebSocketRequest(r Record, event WebSocketRequest, yield func(Record)) {
	if event.First && !r.Scope.Profile.ConnectsAhead() {
		event.Reused = Some(false)
	}
	r.Event = &event
	yield(r)
}

// expandSSEEvent tells a completion with usage twice, as Codex does: with its
// duration, then with the tokens. What describes the whole stream goes with the
// tokens alone, so that nobody counts it twice.
func expandSSEEvent(r Record, event *SSEEvent, yield func(Record)) {
	if event.ClientGone || !event.DurationMS.Set && event.Usage == nil && event.ErrorMessage == "" {
		return
	}
	plain := withoutTokens(event)
	if event.Usage == nil || event.ErrorMessage != "" {
		r.Event = plain
		yield(r)
		return
	}
	id := r.ID
	if event.DurationMS.Set {
		plain.EndedBy = ""
		plain.StreamEvents, plain.StreamDeltas, plain.StreamBytes = Opt[int64]{}, Opt[int64]{}, Opt[int64]{}
		plain.RateLimits = nil
		r.Event = plain
		yield(r)
		if id != "" {
			id += "-tokens"
		}
	}
	r.Event, r.ID = tokens(event, r.Scope.Profile), id
	yield(r)
}

// withoutTokens returns event without what Codex tells with the tokens only: a
// copy, unless there is nothing to leave out.
func withoutTokens(event *SSEEvent) *SSEEvent {
	if event.Usage == nil && !event.TTFTMS.Set && event.ServiceTier == "" && event.ReasoningEffort == "" {
		return event
	}
	plain := *event
	plain.Usage, plain.TTFTMS, plain.ServiceTier, plain.ReasoningEffort = nil, Opt[int64]{}, "", ""
	return &plain
}

// tokens returns the second record of a completion. Its kind is not that of the
// event, which may have come under another name.
func tokens(event *SSEEvent, profile Profile) *SSEEvent {
	told := *event
	told.Kind, told.DurationMS = Some("response.completed"), Opt[int64]{}
	told.Usage = codexUsage(*event.Usage, profile)
	if !profile.TellsTTFT() {
		told.TTFTMS = Opt[int64]{}
	}
	if !profile.TellsTier() {
		told.ServiceTier, told.ReasoningEffort = "", ""
	}
	return &told
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
