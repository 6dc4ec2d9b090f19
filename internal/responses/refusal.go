package responses

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// refusalText is what Codex says about an error message, which stands on a
// WebSocket for the HTTP status of a request; "" for one that it takes no notice
// of, as for want of a status.
func refusalText(data []byte, profile events.Profile) string {
	refusal := gjson.ParseBytes(data)
	status := refusal.Get("status")
	if status.Type != gjson.Number {
		return ""
	}
	message, code, typ := refusal.Get("error.message").Str, refusal.Get("error.code").Str, refusal.Get("error.type").Str
	switch {
	case !profile.Codex:
		return "http " + strconv.FormatInt(status.Int(), 10) + ": " + message
	case code == "websocket_connection_limit_reached", code == "previous_response_not_found":
		return disconnected + message
	case status.Int() == 400:
		switch code {
		case "context_length_exceeded", "invalid_prompt", "cyber_policy", "bio_policy", "misalignment_policy_violation":
			return failureWords(code, message, profile)
		default:
			return string(data)
		}
	case status.Int() == 429 && typ == "usage_limit_reached":
		return apostrophes("You’ve hit your usage limit. Try again later.", profile)
	case status.Int() == 429 && (code == "insufficient_quota" || typ == "usage_not_included"):
		return failureWords(cmp.Or(code, typ), message, profile)
	case status.Int() == 429:
		return "exceeded retry limit, last status: 429 Too Many Requests"
	case status.Int() == 500:
		return apostrophes("We’re currently experiencing high demand, which may cause temporary errors.", profile)
	case status.Int() == 503 && (code == "server_is_overloaded" || code == "slow_down"):
		return failureWords(code, message, profile)
	default:
		return "unexpected status " + strconv.FormatInt(status.Int(), 10) + " " + reasonPhrase(status.Int()) + ": " + cmp.Or(message, string(data))
	}
}

// apostrophes writes those of a text as the release does: 0.152 as on a
// typewriter, 0.155 as in print.
func apostrophes(text string, profile events.Profile) string {
	if profile.Since(153) {
		return text
	}
	return strings.ReplaceAll(text, "’", "'")
}
