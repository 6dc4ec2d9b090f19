package responses

import (
	"slices"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// errorObject is the error of a failed response (codex-rs Error).
func errorObject(profile events.Profile) *object {
	resets := member{name: "resets_at", kind: isSigned, optional: true}
	if !profile.Since(50) {
		resets = member{name: "resets_in_seconds", kind: isUnsigned, optional: true}
	}
	return &object{"Error", []member{
		{name: "type", optional: true},
		{name: "code", optional: true},
		{name: "message", optional: true},
		{name: "plan_type", kind: isPlan, optional: true},
		resets,
	}}
}

// completedObject is a completed response (codex-rs ResponseCompleted).
func completedObject(profile events.Profile) *object {
	completed := &object{"ResponseCompleted", []member{
		{name: "id"},
		{name: "usage", kind: isObject, of: usageObject(profile), optional: true, implied: profile.Since(64)},
	}}
	if profile.Since(155) {
		metadata := &object{name: "ResponseUsageMetadata"}
		completed.members = append(completed.members, member{name: "usage_metadata", kind: isObject, of: metadata, optional: true})
	}
	if profile.Since(130) {
		completed.members = append(completed.members, member{name: "end_turn", kind: isBool, optional: true, implied: true})
	}
	return completed
}

func usageObject(profile events.Profile) *object {
	count := isSigned
	if !profile.Since(50) {
		count = isUnsigned
	}
	input := &object{"ResponseCompletedInputTokensDetails", []member{{name: "cached_tokens", kind: count}}}
	if profile.Since(147) {
		input.members = append(input.members, member{name: "cache_write_tokens", kind: count, implied: true})
	}
	output := &object{"ResponseCompletedOutputTokensDetails", []member{{name: "reasoning_tokens", kind: count}}}
	return &object{"ResponseCompletedUsage", []member{
		{name: "input_tokens", kind: count},
		{name: "input_tokens_details", kind: isObject, of: input, optional: true},
		{name: "output_tokens", kind: count},
		{name: "output_tokens_details", kind: isObject, of: output, optional: true},
		{name: "total_tokens", kind: count},
	}}
}

// envelope is the object that every event is (codex-rs SseEvent, later
// ResponsesStreamEvent), as far as its members have a type.
func envelope(profile events.Profile) *object {
	o := &object{"", []member{
		{name: "type"},
		{name: "delta", optional: true},
	}}
	if profile.Since(60) {
		o.members = append(o.members,
			member{name: "summary_index", kind: isSigned, optional: true},
			member{name: "content_index", kind: isSigned, optional: true})
	}
	if profile.Since(130) {
		o.members = append(o.members, member{name: "item_id", optional: true}, member{name: "call_id", optional: true})
	}
	if profile.Since(143) {
		o.members = append(o.members, member{name: "text", optional: true})
	}
	return o
}

// readable reports whether Codex can read an event that is JSON; it passes over
// others. A name that it knows may come only once here.
func readable(data []byte, profile events.Profile) bool {
	o := envelope(profile)
	seen := make(map[string]bool)
	d := decoding{numbersOf(profile)}
	ok := true
	gjson.ParseBytes(data).ForEach(func(key, value gjson.Result) bool {
		at := slices.IndexFunc(o.members, func(m member) bool { return m.name == key.Str })
		switch {
		case at >= 0:
			ok = d.member(o.members[at], value) == ""
		case key.Str != "response" && key.Str != "item":
			return true
		}
		ok = ok && !seen[key.Str]
		seen[key.Str] = true
		return ok
	})
	return ok && seen["type"]
}
