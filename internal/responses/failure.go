package responses

import (
	"cmp"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// disconnected starts the text of a stream that ended without a completion and
// may be tried again.
const disconnected = "stream disconnected before completion: "

// failureText is what Codex says in the end about a response.failed event, ""
// when it takes no notice of it.
func failureText(response gjson.Result, profile events.Profile) string {
	const received = disconnected + "response.failed event received"
	failure := response.Get("error")
	switch {
	case response.Type == gjson.Null && !profile.Since(87):
		return ""
	case !failure.Exists():
		return received
	}
	if text := (decoding{numbersOf(profile)}).object(errorObject(profile), failure); text != "" {
		if profile.Seed() {
			return disconnected + "failed to parse ErrorResponse: " + text
		}
		return received
	}
	return failureWords(failure.Get("code").Str, failure.Get("message").Str, profile)
}

// failureWords is what Codex says about a failure: its own words for the codes
// that the release knows, else the upstream's.
func failureWords(code, message string, profile events.Profile) string {
	switch {
	case code == "context_length_exceeded":
		begun := "thread"
		if !profile.Since(80) {
			begun = "conversation"
		}
		return "Codex ran out of room in the model's context window. Start a new " + begun + " or clear earlier history before retrying."
	case code == "insufficient_quota" && profile.Since(58):
		return "Quota exceeded. Check your plan and billing details."
	case code == "usage_not_included" && profile.Since(64):
		page := "https://chatgpt.com/explore/plus"
		if !profile.Since(100) {
			page = "https://openai.com/chatgpt/pricing"
		}
		return "To use Codex with your ChatGPT plan, upgrade to Plus: " + page + "."
	case code == "bio_policy" && profile.Since(160):
		return cmp.Or(message, "This content was flagged for possible biological risk.")
	case code == "bio_policy" && profile.Since(147), code == "invalid_prompt" && profile.Since(90):
		// Of an empty message Codex makes an empty error, which would look like none.
		return cmp.Or(message, "Invalid request.")
	case code == "cyber_policy" && profile.Since(130):
		return cmp.Or(message, "This request has been flagged for possible cybersecurity risk.")
	case code == "misalignment_policy_violation" && profile.Since(150):
		return cmp.Or(message, "This request was blocked due to a misalignment policy violation.")
	case code == "model_not_found" && profile.Since(166):
		return cmp.Or(message, code)
	case code == "rate_limit_exceeded" && profile.Since(155), code == "slow_down" && profile.Since(160):
		return "rate limit exceeded: " + message
	case (code == "server_is_overloaded" || code == "slow_down") && profile.Since(100):
		return "Selected model is at capacity. Please try a different model."
	default:
		return disconnected + message
	}
}

// incompleteText is what Codex says in the end about a response.incomplete
// event, "" for the releases that take no notice of it.
func incompleteText(response gjson.Result, profile events.Profile) string {
	if !profile.Since(100) {
		return ""
	}
	reason := incompleteReason(response)
	text := "Incomplete response returned, reason: " + reason
	if reason == "content_filter" || !profile.Since(164) {
		return disconnected + text
	}
	return text
}

func incompleteReason(response gjson.Result) string {
	reason := response.Get("incomplete_details.reason")
	if reason.Type != gjson.String {
		return "unknown"
	}
	return reason.Str
}

// completes reports whether an event is a completion for Codex.
func completes(kind string, response gjson.Result, profile events.Profile) bool {
	switch kind {
	case "response.completed":
		return true
	case "response.incomplete":
		return profile.Since(160) && incompleteReason(response) == "interrupted"
	case "response.done":
		return profile.Codex && profile.Since(87) && !profile.Since(114)
	default:
		return false
	}
}

// completionText is what Codex says about a completion that it cannot read, ""
// for one it can. Other agents are taken to be content with any object.
func completionText(response gjson.Result, profile events.Profile) string {
	if !profile.Codex {
		if response.IsObject() {
			return ""
		}
		return disconnected + "stream closed before response.completed"
	}
	if text := (decoding{numbersOf(profile)}).object(completedObject(profile), response); text != "" {
		return disconnected + "failed to parse ResponseCompleted: " + text
	}
	return ""
}
