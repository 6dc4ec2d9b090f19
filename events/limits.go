package events

// RateLimits is what an upstream says of quotas: ChatGPT in its x-codex-*
// headers and in the event codex.rate_limits, OpenAI in its x-ratelimit-*
// headers. It mirrors RateLimitSnapshot of Codex, which has it in no event. The
// fields are those of the limit codex, which is the one without a name.
type RateLimits struct {
	PrimaryUsed     Opt[float64] `attr:"codex.rate_limit.primary.used_percent" unit:"%" doc:"How much of the first window, a short one, is used up." absent:"the upstream does not say" differs:"not in Codex"`
	PrimaryWindow   Opt[int64]   `attr:"codex.rate_limit.primary.window_minutes" unit:"min" doc:"Length of the first window." absent:"the upstream does not say" differs:"not in Codex"`
	PrimaryResets   Opt[int64]   `attr:"codex.rate_limit.primary.resets_at" unit:"s" doc:"When the first window begins anew, in Unix time." absent:"the upstream does not say" differs:"not in Codex"`
	SecondaryUsed   Opt[float64] `attr:"codex.rate_limit.secondary.used_percent" unit:"%" doc:"How much of the second window, a long one, is used up." absent:"the upstream does not say" differs:"not in Codex"`
	SecondaryWindow Opt[int64]   `attr:"codex.rate_limit.secondary.window_minutes" unit:"min" doc:"Length of the second window." absent:"the upstream does not say" differs:"not in Codex"`
	SecondaryResets Opt[int64]   `attr:"codex.rate_limit.secondary.resets_at" unit:"s" doc:"When the second window begins anew, in Unix time." absent:"the upstream does not say" differs:"not in Codex"`
	LimitName       string       `attr:"codex.rate_limit.name,omitempty" doc:"Name of the limit for people." absent:"the upstream does not say" differs:"not in Codex"`
	LimitReached    Opt[bool]    `attr:"codex.rate_limit.reached" doc:"Whether the limit is used up." absent:"the upstream does not say" differs:"not in Codex"`
	ReachedType     string       `attr:"codex.rate_limit.reached_type,omitempty" doc:"Which kind of limit is used up." absent:"none is, or the upstream does not say" differs:"not in Codex"`
	ActiveLimit     string       `attr:"codex.rate_limit.active,omitempty" doc:"Id of the limit that the request counts for." absent:"the upstream does not say" differs:"not in Codex"`
	PlanType        string       `attr:"codex.rate_limit.plan_type,omitempty" doc:"ChatGPT plan, such as plus." absent:"the upstream does not say" differs:"not in Codex"`
	HasCredits      Opt[bool]    `attr:"codex.rate_limit.credits.has_credits" doc:"Whether credits go on where the windows end." absent:"the upstream does not say" differs:"not in Codex"`
	CreditsUnlimit  Opt[bool]    `attr:"codex.rate_limit.credits.unlimited" doc:"Whether the credits have no end." absent:"the upstream does not say" differs:"not in Codex"`
	CreditsBalance  string       `attr:"codex.rate_limit.credits.balance,omitempty" doc:"Credits left, as the upstream writes it." absent:"the upstream does not say" differs:"not in Codex"`
	RequestsLimit   Opt[int64]   `attr:"openai.rate_limit.requests.limit" unit:"{request}" doc:"x-ratelimit-limit-requests." absent:"the upstream does not say" differs:"not in Codex"`
	RequestsLeft    Opt[int64]   `attr:"openai.rate_limit.requests.remaining" unit:"{request}" doc:"x-ratelimit-remaining-requests." absent:"the upstream does not say" differs:"not in Codex"`
	RequestsResetMS Opt[int64]   `attr:"openai.rate_limit.requests.reset_ms" unit:"ms" doc:"x-ratelimit-reset-requests: time until all are back." absent:"the upstream does not say" differs:"not in Codex"`
	TokensLimit     Opt[int64]   `attr:"openai.rate_limit.tokens.limit" unit:"{token}" doc:"x-ratelimit-limit-tokens." absent:"the upstream does not say" differs:"not in Codex"`
	TokensLeft      Opt[int64]   `attr:"openai.rate_limit.tokens.remaining" unit:"{token}" doc:"x-ratelimit-remaining-tokens." absent:"the upstream does not say" differs:"not in Codex"`
	TokensResetMS   Opt[int64]   `attr:"openai.rate_limit.tokens.reset_ms" unit:"ms" doc:"x-ratelimit-reset-tokens: time until all are back." absent:"the upstream does not say" differs:"not in Codex"`
	// Others are the windows of other limits, in the order of their keys:
	// codex.rate_limit.codex_other.primary.used_percent, and so on.
	Others []Pair
}

// OtherLimits returns the windows of the limits that have no fields. It is
// promoted to the events that have limits.
func (l *RateLimits) OtherLimits() []Pair {
	if l == nil {
		return nil
	}
	return l.Others
}
