package responses

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// limits collects what an upstream says of quotas, the last word on each. It
// mirrors parse_rate_limit_updates and parse_rate_limit_event of Codex
// (codex-api/src/rate_limits.rs).
type limits struct {
	told     events.RateLimits
	families []*family
}

const (
	defaultLimit = "codex"
	maxFamilies  = 9 // the default one among them
)

// HeaderLimits returns what the headers of a response say of quotas, nil for
// nothing.
func HeaderLimits(header map[string][]string, at time.Time) *events.RateLimits {
	var l limits
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if values := header[name]; len(values) > 0 {
			l.header(strings.ToLower(name), values[0], at)
		}
	}
	return l.result()
}

// header takes a header, its name in lower case.
func (l *limits) header(name, value string, at time.Time) {
	name, ok := strings.CutPrefix(name, "x-")
	if !ok {
		return
	}
	switch value = strings.TrimSpace(value); name {
	case "codex-credits-has-credits":
		l.told.HasCredits = truth(value)
	case "codex-credits-unlimited":
		l.told.CreditsUnlimit = truth(value)
	case "codex-credits-balance":
		l.told.CreditsBalance = short(value)
	case "codex-active-limit":
		l.told.ActiveLimit = limitID(value)
	case "codex-rate-limit-reached-type":
		l.told.ReachedType = short(value)
	case "codex-plan-type":
		l.told.PlanType = short(value)
	case "ratelimit-limit-requests":
		l.told.RequestsLimit = number(value)
	case "ratelimit-remaining-requests":
		l.told.RequestsLeft = number(value)
	case "ratelimit-reset-requests":
		l.told.RequestsResetMS = wait(value)
	case "ratelimit-limit-tokens":
		l.told.TokensLimit = number(value)
	case "ratelimit-remaining-tokens":
		l.told.TokensLeft = number(value)
	case "ratelimit-reset-tokens":
		l.told.TokensResetMS = wait(value)
	default:
		l.familyHeader(name, value, at)
	}
}

// familyHeader takes a header that may be of a limit: its name or a value of one
// of its windows.
func (l *limits) familyHeader(name, value string, at time.Time) {
	if id, ok := strings.CutSuffix(name, "-limit-name"); ok {
		if f := l.family(id); f != nil {
			f.name = short(value)
		}
		return
	}
	for i, which := range windowNames {
		for _, field := range []string{"used-percent", "window-minutes", "reset-at", "reset-after-seconds"} {
			id, ok := strings.CutSuffix(name, "-"+which+"-"+field)
			if !ok {
				continue
			}
			if f := l.family(id); f != nil {
				f.windows[i].set(field, value, at)
			}
			return
		}
	}
}

// family returns a limit by its id, nil if there are too many.
func (l *limits) family(id string) *family {
	id = limitID(id)
	for _, f := range l.families {
		if f.id == id {
			return f
		}
	}
	others := len(l.families)
	if l.has(defaultLimit) {
		others--
	}
	if id == "" || id != defaultLimit && others == maxFamilies-1 {
		return nil
	}
	f := &family{id: id}
	l.families = append(l.families, f)
	return f
}

func (l *limits) has(id string) bool {
	return slices.ContainsFunc(l.families, func(f *family) bool { return f.id == id })
}

// event takes a codex.rate_limits event.
func (l *limits) event(data []byte, at time.Time) {
	event := gjson.ParseBytes(data)
	if plan := event.Get("plan_type"); plan.Type == gjson.String {
		l.told.PlanType = short(plan.Str)
	}
	if credits := event.Get("credits"); credits.IsObject() {
		l.told.HasCredits, l.told.CreditsUnlimit = truth(credits.Get("has_credits").Raw), truth(credits.Get("unlimited").Raw)
		l.told.CreditsBalance = short(credits.Get("balance").String())
	}
	id := defaultLimit
	for _, key := range []string{"limit_name", "metered_limit_name"} {
		if name := event.Get(key); name.Type == gjson.String && name.Str != "" {
			id = name.Str
		}
	}
	f := l.family(id)
	if f == nil {
		return
	}
	f.windows = [2]window{}
	details := event.Get("rate_limits")
	if reached := truth(details.Get("limit_reached").Raw); reached.Set && f.id == defaultLimit {
		l.told.LimitReached = reached
	}
	for i, name := range windowNames {
		for _, field := range [][2]string{
			{"used_percent", "used-percent"},
			{"window_minutes", "window-minutes"},
			{"reset_after_seconds", "reset-after-seconds"},
			{"reset_at", "reset-at"},
		} {
			if value := details.Get(name + "." + field[0]); value.Type == gjson.Number {
				f.windows[i].set(field[1], value.Raw, at)
			}
		}
	}
}

// message takes the headers that an error message of a WebSocket has.
func (l *limits) message(data []byte, at time.Time) {
	header := make(map[string]string)
	gjson.GetBytes(data, "headers").ForEach(func(key, value gjson.Result) bool {
		if value.Type == gjson.String || value.Type == gjson.Number {
			header[strings.ToLower(key.Str)] = value.String()
		}
		return len(header) < 256
	})
	for _, name := range slices.Sorted(maps.Keys(header)) {
		l.header(name, header[name], at)
	}
}

// result returns what was told, nil for nothing.
func (l *limits) result() *events.RateLimits {
	told := l.told
	for _, f := range l.families {
		if f.id != defaultLimit {
			told.Others = append(told.Others, f.pairs()...)
			continue
		}
		told.LimitName = f.name
		if w := f.windows[0]; w.tells() {
			told.PrimaryUsed, told.PrimaryWindow, told.PrimaryResets = w.used, w.minutes, w.resets
		}
		if w := f.windows[1]; w.tells() {
			told.SecondaryUsed, told.SecondaryWindow, told.SecondaryResets = w.used, w.minutes, w.resets
		}
	}
	if reflect.ValueOf(told).IsZero() {
		return nil
	}
	slices.SortFunc(told.Others, func(a, b events.Pair) int { return strings.Compare(a.Key, b.Key) })
	return &told
}
