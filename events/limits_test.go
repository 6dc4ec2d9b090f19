package events

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func quota() *RateLimits {
	return &RateLimits{
		PrimaryUsed: Some(12.5), PrimaryWindow: Int64(300),
		Others: []Pair{{Key: "codex.rate_limit.codex_other.primary.used_percent", Value: Value{Kind: ValueDouble, Double: 80}}},
	}
}

// Of the two records that the codex schema makes of a completion one has the
// limits.
func TestRateLimitsAreToldOnce(t *testing.T) {
	event := &SSEEvent{Kind: Some("response.completed"), DurationMS: Int64(3), Usage: &Usage{}, EndedBy: "completed", RateLimits: quota()}
	r := Record{Event: event, Scope: &Scope{Resource: &Resource{}}}
	for _, schema := range []Schema{SchemaTyped, SchemaCodex} {
		var used, others []any
		for _, attrs := range encode(&Encoder{Schema: schema}, r) {
			m := values(t, attrs)
			if value, ok := m["codex.rate_limit.primary.used_percent"]; ok {
				used = append(used, value)
			}
			if value, ok := m["codex.rate_limit.codex_other.primary.used_percent"]; ok {
				others = append(others, value)
			}
		}
		if diff := cmp.Diff([]any{12.5}, used); diff != "" {
			t.Errorf("schema %d: used_percent (-want +got):\n%s", schema, diff)
		}
		if diff := cmp.Diff([]any{80.0}, others); diff != "" {
			t.Errorf("schema %d: used_percent of another limit (-want +got):\n%s", schema, diff)
		}
	}
}

func TestDecodeRateLimits(t *testing.T) {
	pairs := []Pair{
		TextPair("duration_ms", "3"),
		{Key: "attempt", Value: Value{Kind: ValueInt}},
		{Key: "codex.rate_limit.primary.used_percent", Value: Value{Kind: ValueDouble, Double: 12.5}},
		{Key: "codex.rate_limit.secondary.used_percent", Value: Value{Kind: ValueInt, Int: 5}},
		TextPair("codex.rate_limit.primary.window_minutes", "no number"),
	}
	event, rest, ok := Decode(NameAPIRequest, pairs, new(Scope))
	want := &APIRequest{DurationMS: 3, RateLimits: &RateLimits{PrimaryUsed: Some(12.5), SecondaryUsed: Some(5.0)}}
	if diff := cmp.Diff(Event(want), event); diff != "" || !ok {
		t.Errorf("Decode() ok = %t (-want +got):\n%s", ok, diff)
	}
	if diff := cmp.Diff(pairs[4:], rest); diff != "" {
		t.Errorf("rest (-want +got):\n%s", diff)
	}
	event, _, _ = Decode(NameSSEEvent, pairs[2:3], new(Scope))
	if got := event.(*SSEEvent); got.Usage != nil || got.RateLimits == nil {
		t.Errorf("Decode() = %+v; want limits and no usage", got)
	}
}
