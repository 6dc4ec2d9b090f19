package responses

import (
	"cmp"
	"strconv"

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
		return "You’ve hit your usage limit. Try again later."
	case status.Int() == 429 && (code == "insufficient_quota" || typ == "usage_not_included"):
		return failureWords(cmp.Or(code, typ), message, profile)
	case status.Int() == 429:
		return "exceeded retry limit, last status: 429 Too Many Requests"
	case status.Int() == 500:
		return "We’re currently experiencing high demand, which may cause temporary errors."
	case status.Int() == 503 && (code == "server_is_overloaded" || code == "slow_down"):
		return failureWords(code, message, profile)
	default:
		return "unexpected status " + strconv.FormatInt(status.Int(), 10) + " " + reasonPhrase(status.Int()) + ": " + cmp.Or(message, string(data))
	}
}

// reasonPhrase returns the words of a status as the http crate of Rust has them.
func reasonPhrase(status int64) string {
	switch status {
	case 401:
		return "Unauthorized"
	case 402:
		return "Payment Required"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 405:
		return "Method Not Allowed"
	case 406:
		return "Not Acceptable"
	case 408:
		return "Request Timeout"
	case 409:
		return "Conflict"
	case 410:
		return "Gone"
	case 411:
		return "Length Required"
	case 412:
		return "Precondition Failed"
	case 413:
		return "Payload Too Large"
	case 415:
		return "Unsupported Media Type"
	case 417:
		return "Expectation Failed"
	case 421:
		return "Misdirected Request"
	case 422:
		return "Unprocessable Entity"
	case 424:
		return "Failed Dependency"
	case 425:
		return "Too Early"
	case 426:
		return "Upgrade Required"
	case 428:
		return "Precondition Required"
	case 431:
		return "Request Header Fields Too Large"
	case 451:
		return "Unavailable For Legal Reasons"
	case 501:
		return "Not Implemented"
	case 502:
		return "Bad Gateway"
	case 503:
		return "Service Unavailable"
	case 504:
		return "Gateway Timeout"
	case 507:
		return "Insufficient Storage"
	default:
		return "<unknown status code>"
	}
}
