package events

import (
	"strconv"
	"strings"
)

// Profile says which release of Codex an agent is, so that records of the
// codex schema, and the number of records of a failed stream, follow the habits
// of that release. Codex changed them without a version of its own; the
// predicates below are the one table of what changed when. Each boundary stands
// between two releases that were seen to differ: a change can be merged weeks
// before a release has it. The zero Profile is an agent that is not Codex and
// follows the newest habits.
type Profile struct {
	Codex        bool
	Major, Minor int
}

// CodexProfile returns the profile of a Codex release such as "0.45.0" or
// "0.149.0-alpha.3". A version it cannot read is taken for the newest.
func CodexProfile(version string) Profile {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	x, errMajor := strconv.Atoi(major)
	y, errMinor := strconv.Atoi(minor)
	if errMajor != nil || errMinor != nil || x < 0 || y < 0 {
		return Profile{Codex: true, Major: 1 << 20}
	}
	// Builds from source call themselves 0.0.0.
	if x == 0 && y == 0 {
		return Profile{Codex: true, Major: 1 << 20}
	}
	return Profile{Codex: true, Major: x, Minor: y}
}

// before reports whether the agent is a Codex older than 0.minor.
func (p Profile) before(minor int) bool {
	return p.Codex && p.Major == 0 && p.Minor < minor
}

// Since reports whether the agent is Codex 0.minor or newer, or not a Codex at
// all.
func (p Profile) Since(minor int) bool { return !p.before(minor) }

// Seed reports whether the agent is a Codex whose HTTP client is the first one
// (2025-09 to 2025-11): it retries 401 and 429, says nothing after a transport
// error, and counts a failed request without an error.message.
func (p Profile) Seed() bool { return p.before(64) }

// StreamErrorText is what Codex puts before the cause of a broken stream.
func (p Profile) StreamErrorText() string {
	switch {
	case p.before(47):
		return "Transport error: error decoding response body"
	case p.before(64):
		return "Transport error: Error while reading the server response: error decoding response body"
	default:
		return "Transport error: network error: error decoding response body"
	}
}

// StreamErrorNamesRay reports whether Codex appends ", request id: " and the
// cf-ray to the text of a broken stream, if the response had one.
func (p Profile) StreamErrorNamesRay() bool { return p.before(64) && !p.before(47) }

// SpellsChatgpt reports whether Codex writes auth_mode as "Chatgpt"; before, it
// wrote "ChatGPT".
func (p Profile) SpellsChatgpt() bool { return !p.before(93) }

// TellsRefusal reports whether Codex says what the body of a response outside
// 2xx was: 0.64 does, 0.115 does not any more.
func (p Profile) TellsRefusal() bool { return p.Codex && !p.before(64) && p.before(115) }

// TellsAuth reports whether Codex says on codex.api_request how a request was
// authenticated and which endpoint it went to (openai/codex#14611).
func (p Profile) TellsAuth() bool { return !p.before(115) }

// TellsOriginator reports whether Codex has the originator attribute
// (openai/codex#10826).
func (p Profile) TellsOriginator() bool { return !p.before(99) }

// TellsCacheWrite reports whether Codex has cache_write_token_count
// (openai/codex#33454).
func (p Profile) TellsCacheWrite() bool { return !p.before(145) }

// TellsMessages reports whether Codex has codex.websocket_event, one for each
// message of a WebSocket (openai/codex#29432): 0.141 does, 0.142 does not.
func (p Profile) TellsMessages() bool { return p.before(142) }

// TellsTTFT reports whether Codex has ttft_ms on the completion
// (openai/codex#30883).
func (p Profile) TellsTTFT() bool { return !p.before(143) }

// TellsTier reports whether Codex has service_tier and model_reasoning_effort
// on the completion (openai/codex#29155).
func (p Profile) TellsTier() bool { return !p.before(145) }

// ZeroFillsTokens reports whether Codex writes 0 for token details that the
// upstream left out.
func (p Profile) ZeroFillsTokens() bool { return !p.before(64) }

// TellsReauth reports whether Codex has auth.reauth on codex.websocket_connect:
// 0.169 does, 0.166 does not, and those between cannot be had.
func (p Profile) TellsReauth() bool { return !p.before(167) }

// ConnectsAhead reports whether Codex takes the connection of a warm-up for one
// that was there before: 0.158 does, 0.157 does not.
func (p Profile) ConnectsAhead() bool { return !p.before(158) }

// SplitsDecisions reports whether Codex spells decisions with underscores
// (openai/codex#38299); before, it wrote the lower-cased enum names.
func (p Profile) SplitsDecisions() bool { return !p.before(148) }

// TellsToolOrigin reports whether Codex has mcp_server and mcp_server_origin
// on codex.tool_result (openai/codex#12267).
func (p Profile) TellsToolOrigin() bool { return !p.before(105) }
