package responses_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// headed returns headers by their canonical names.
func headed(pairs ...string) map[string][]string {
	header := make(map[string][]string)
	for i := 0; i < len(pairs); i += 2 {
		header[pairs[i]] = append(header[pairs[i]], pairs[i+1])
	}
	return header
}

func other(key string, value any) events.Pair {
	pair := events.Pair{Key: "codex.rate_limit." + key}
	switch value := value.(type) {
	case float64:
		pair.Value = events.Value{Kind: events.ValueDouble, Double: value}
	case int:
		pair.Value = events.Value{Kind: events.ValueInt, Int: int64(value)}
	case string:
		pair.Value = events.Value{Kind: events.ValueText, Text: value}
	}
	return pair
}

func TestHeaderLimits(t *testing.T) {
	tests := map[string]struct {
		header map[string][]string
		want   *events.RateLimits
	}{
		"none": {headed("Content-Type", "text/event-stream", "X-Request-Id", "req_1", "X-Codex-Turn-State", "s", "X-Foo-Limit-Name", "x"), nil},
		"both windows": {
			headed("X-Codex-Primary-Used-Percent", "12.5", "X-Codex-Primary-Window-Minutes", "300", "X-Codex-Primary-Reset-At", "1704069000",
				"X-Codex-Secondary-Used-Percent", "73", "X-Codex-Secondary-Window-Minutes", "10080", "X-Codex-Secondary-Reset-At", "1704600000"),
			&events.RateLimits{
				PrimaryUsed: events.Some(12.5), PrimaryWindow: events.Int64(300), PrimaryResets: events.Int64(1704069000),
				SecondaryUsed: events.Some(73.0), SecondaryWindow: events.Int64(10080), SecondaryResets: events.Int64(1704600000),
			},
		},
		"of old": {
			headed("X-Codex-Primary-Used-Percent", "5", "X-Codex-Primary-Reset-After-Seconds", "60", "X-Codex-Primary-Over-Secondary-Limit-Percent", "3"),
			&events.RateLimits{PrimaryUsed: events.Some(5.0), PrimaryResets: events.Int64(1060)},
		},
		"both resets": {
			headed("X-Codex-Primary-Used-Percent", "5", "X-Codex-Primary-Reset-After-Seconds", "60", "X-Codex-Primary-Reset-At", "2000"),
			&events.RateLimits{PrimaryUsed: events.Some(5.0), PrimaryResets: events.Int64(2000)},
		},
		"a window of zeros":    {headed("X-Codex-Primary-Used-Percent", "0", "X-Codex-Primary-Window-Minutes", "0"), nil},
		"an unused window":     {headed("X-Codex-Primary-Used-Percent", "0", "X-Codex-Primary-Window-Minutes", "300"), &events.RateLimits{PrimaryUsed: events.Some(0.0), PrimaryWindow: events.Int64(300)}},
		"a window without use": {headed("X-Codex-Primary-Window-Minutes", "300", "X-Codex-Primary-Reset-At", "2000"), nil},
		"the rest": {
			headed("X-Codex-Credits-Has-Credits", "True", "X-Codex-Credits-Unlimited", "0", "X-Codex-Credits-Balance", " 9.99 ", "X-Codex-Active-Limit", "codex-bengalfox",
				"X-Codex-Rate-Limit-Reached-Type", "rate_limit_reached", "X-Codex-Limit-Name", "gpt-5", "X-Codex-Plan-Type", "plus", "X-Codex-Promo-Message", "buy more"),
			&events.RateLimits{
				HasCredits: events.Some(true), CreditsUnlimit: events.Some(false), CreditsBalance: "9.99", ActiveLimit: "codex_bengalfox",
				ReachedType: "rate_limit_reached", LimitName: "gpt-5", PlanType: "plus",
			},
		},
		"other limits": {
			headed("X-Codex-Bengalfox-Primary-Used-Percent", "80", "X-Codex-Bengalfox-Limit-Name", "gpt-5.2-codex-sonic", "X-Codex-Bengalfox-Primary-Reset-At", "2000",
				"X-Codex-Secondary-Primary-Used-Percent", "1", "X-Codex-Secondary-Primary-Window-Minutes", "60", "X-Codex-Other-Limit-Name", "no windows"),
			&events.RateLimits{Others: []events.Pair{
				other("codex_bengalfox.name", "gpt-5.2-codex-sonic"), other("codex_bengalfox.primary.resets_at", 2000), other("codex_bengalfox.primary.used_percent", 80.0),
				other("codex_secondary.primary.used_percent", 1.0), other("codex_secondary.primary.window_minutes", 60),
			}},
		},
		"standard": {
			headed("X-Ratelimit-Limit-Requests", "60", "X-Ratelimit-Remaining-Requests", "59", "X-Ratelimit-Reset-Requests", "1s",
				"X-Ratelimit-Limit-Tokens", "150000", "X-Ratelimit-Remaining-Tokens", "149984", "X-Ratelimit-Reset-Tokens", "6m0s"),
			&events.RateLimits{
				RequestsLimit: events.Int64(60), RequestsLeft: events.Int64(59), RequestsResetMS: events.Int64(1000),
				TokensLimit: events.Int64(150000), TokensLeft: events.Int64(149984), TokensResetMS: events.Int64(360_000),
			},
		},
		"in seconds": {headed("X-Ratelimit-Reset-Tokens", "1.5"), &events.RateLimits{TokensResetMS: events.Int64(1500)}},
		"nonsense": {
			headed("X-Codex-Primary-Used-Percent", "NaN", "X-Codex-Secondary-Used-Percent", "-1", "X-Codex-Credits-Has-Credits", "maybe", "X-Codex-Credits-Balance", "\xff",
				"X-Codex-Limit-Name", strings.Repeat("x", 129), "X-Codex-Active-Limit", "a b", "X-Ratelimit-Limit-Requests", "99999999999999999999", "X-Ratelimit-Remaining-Requests", "-1",
				"X-Ratelimit-Reset-Requests", "soon", "X-Ratelimit-Reset-Tokens", "-1s", "X-"+strings.Repeat("y", 200)+"-Primary-Used-Percent", "5",
				"X-é-Primary-Used-Percent", "5", "X-Ratelimit-Limit-Tokens", ""),
			nil,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, responses.HeaderLimits(test.header, start)); diff != "" {
				t.Errorf("HeaderLimits() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLimitsAreBounded(t *testing.T) {
	header := headed("X-Codex-Primary-Used-Percent", "1")
	for i := range 100 {
		header[fmt.Sprintf("X-A%02d-Primary-Used-Percent", i)] = []string{"5"}
	}
	got := responses.HeaderLimits(header, start)
	if len(got.Others) != 8 || got.Others[7].Key != "codex.rate_limit.a07.primary.used_percent" || !got.PrimaryUsed.Set {
		t.Errorf("HeaderLimits() = %+v; want the first 8 limits and the default one", got)
	}
}

// limited returns the quotas that the end of a response tells, and how many other
// records tell any.
func limited(t *testing.T, records *journal) (end *events.RateLimits, others int) {
	t.Helper()
	for _, r := range *records {
		event := r.Event.(*events.SSEEvent)
		switch {
		case event.EndedBy != "":
			end = event.RateLimits
		case event.RateLimits != nil:
			others++
		}
	}
	return end, others
}

const quota = `{"type":"codex.rate_limits","plan_type":"plus","rate_limits":{"allowed":true,"limit_reached":false,` +
	`"primary":{"used_percent":42,"window_minutes":300,"reset_at":1700009000},"secondary":{"used_percent":5.5,"window_minutes":null,"reset_after_seconds":60}},` +
	`"credits":{"has_credits":true,"unlimited":false,"balance":null},"promo":null}`

func quotas() *events.RateLimits {
	return &events.RateLimits{
		PrimaryUsed: events.Some(42.0), PrimaryWindow: events.Int64(300), PrimaryResets: events.Int64(1700009000),
		SecondaryUsed: events.Some(5.5), SecondaryResets: events.Int64(1060), PlanType: "plus",
		LimitReached: events.Some(false), HasCredits: events.Some(true), CreditsUnlimit: events.Some(false),
	}
}

// What the event says is told at the end of the response, however it ends.
func TestTurnLimits(t *testing.T) {
	for name, finish := range map[string]func(turn *responses.Turn){
		"completed": func(turn *responses.Turn) {
			sse(turn, "response.completed", `{"type":"response.completed","response":{"id":"r",`+spent+`}}`, start)
		},
		"failed": func(turn *responses.Turn) {
			sse(turn, "response.failed", `{"type":"response.failed","response":{"id":"r","error":{"message":"no"}}}`, start)
		},
		"cut": func(*responses.Turn) {},
	} {
		t.Run(name, func(t *testing.T) {
			for _, detail := range []responses.Detail{responses.DetailAll, responses.DetailCompleted} {
				records := new(journal)
				turn := responses.NewTurn(responses.TurnConfig{
					Recorder: records, Scope: &events.Scope{}, Start: start, Endpoint: responses.EndpointOf("POST", "/responses"), Detail: detail,
				})
				sse(turn, "codex.rate_limits", strings.Replace(quota, `"window_minutes":null`, `"window_minutes":10080`, 1), start)
				sse(turn, "codex.rate_limits", quota, start)
				finish(turn)
				turn.End(responses.Ending{By: "upstream", At: start})
				end, others := limited(t, records)
				if diff := cmp.Diff(quotas(), end); diff != "" || others > 0 {
					t.Errorf("limits at the end (-want +got):\n%s%d other records have some; want none", diff, others)
				}
			}
		})
	}
}

func TestTurnLimitsOfMessages(t *testing.T) {
	other := strings.Replace(quota, `"plan_type":"plus"`, `"plan_type":null,"metered_limit_name":"codex-other","limit_name":"x"`, 1)
	tests := map[string]struct {
		messages []string
		want     func() *events.RateLimits
	}{
		"several limits": {[]string{quota, other, `{"type":"response.completed","response":{"id":"r",` + spent + `}}`}, func() *events.RateLimits {
			want := quotas()
			want.Others = []events.Pair{
				{Key: "codex.rate_limit.codex_other.primary.resets_at", Value: events.Value{Kind: events.ValueInt, Int: 1700009000}},
				{Key: "codex.rate_limit.codex_other.primary.used_percent", Value: events.Value{Kind: events.ValueDouble, Double: 42}},
				{Key: "codex.rate_limit.codex_other.primary.window_minutes", Value: events.Value{Kind: events.ValueInt, Int: 300}},
				{Key: "codex.rate_limit.codex_other.secondary.resets_at", Value: events.Value{Kind: events.ValueInt, Int: 1060}},
				{Key: "codex.rate_limit.codex_other.secondary.used_percent", Value: events.Value{Kind: events.ValueDouble, Double: 5.5}},
			}
			return want
		}},
		"a refusal with headers": {[]string{`{"type":"error","status":429,"error":{"type":"usage_limit_reached"},"headers":{"X-Codex-Primary-Used-Percent":"100.0",` +
			`"x-codex-primary-window-minutes":15,"x-codex-secondary-used-percent":null}}`}, func() *events.RateLimits {
			return &events.RateLimits{PrimaryUsed: events.Some(100.0), PrimaryWindow: events.Int64(15)}
		}},
		"nonsense": {[]string{
			`{"type":"codex.rate_limits","rate_limits":[],"credits":7,"plan_type":{},"metered_limit_name":"a b"}`,
			`{"type":"codex.rate_limits","rate_limits":{"primary":{"used_percent":"5"},"secondary":{"used_percent":-5}}}`,
			`{"type":"response.completed","response":{"id":"r",` + spent + `}}`,
		}, func() *events.RateLimits { return nil }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			records := new(journal)
			turn := responses.NewTurn(responses.TurnConfig{
				Recorder: records, Scope: &events.Scope{Profile: events.CodexProfile("0.169.0")}, Start: start,
				Endpoint: responses.EndpointOf("POST", "/responses"), WebSocket: true,
			})
			for _, message := range test.messages {
				turn.Message([]byte(message), nil, start.Add(time.Millisecond))
			}
			end, _ := limited(t, records)
			if diff := cmp.Diff(test.want(), end); diff != "" {
				t.Errorf("limits at the end (-want +got):\n%s", diff)
			}
		})
	}
}
