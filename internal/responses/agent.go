package responses

import (
	"regexp"
	"strings"

	"github.com/codex-proxy/codex-proxy/events"
)

// Agent is what a User-Agent tells about the program that sent a request.
type Agent struct {
	Originator string // front end, such as codex_exec
	Version    string
	Terminal   string // terminal token, equal to Codex's terminal.type
	Codex      bool   // a front end of Codex
	// Nameless reports a Codex that sent no User-Agent: that of a WebSocket
	// handshake had none before 0.128.
	Nameless bool
}

// codexAgent is the User-Agent of every Codex front end:
//
//	{originator}/{version} ({os} {os version}; {arch}) {terminal}[ ({suffix})]
//
// Originators may contain spaces, hence the lazy match
// (codex-rs login/src/auth/default_client.rs).
var codexAgent = regexp.MustCompile(`^(.+?)/([0-9][^ ]*) \([^;)]*; [^)]*\) ([^ ]+)(?: \(.*\))?$`)

// lastNameless is the last release that was seen to send no User-Agent.
const lastNameless = "0.125.0"

// maxAgentBytes bounds what is taken from a header into an attribute.
const maxAgentBytes = 256

// ParseAgent reads a User-Agent header and the originator header that Codex
// sends beside it.
func ParseAgent(userAgent, originator string) Agent {
	if len(userAgent) > 4*maxAgentBytes {
		userAgent = userAgent[:4*maxAgentBytes]
	}
	agent := Agent{Originator: bounded(originator)}
	if match := codexAgent.FindStringSubmatch(userAgent); match != nil {
		if agent.Originator == "" {
			agent.Originator = bounded(match[1])
		}
		agent.Version = bounded(match[2])
		agent.Terminal = bounded(match[3])
		agent.Codex = true
		return agent
	}
	if userAgent == "" && strings.HasPrefix(strings.ToLower(originator), "codex") {
		agent.Codex, agent.Nameless = true, true
		return agent
	}
	product, rest, _ := strings.Cut(userAgent, " ")
	name, version, _ := strings.Cut(product, "/")
	if next, _, _ := strings.Cut(rest, " "); !beginsWithDigit(version) && beginsWithDigit(next) {
		// OpenAI/JS 7.57.0: OpenAI's SDKs name their language first.
		version = next
	}
	if agent.Originator == "" {
		agent.Originator = bounded(name)
	}
	agent.Version = bounded(version)
	return agent
}

// Profile says which habits of Codex the agent's records follow.
func (a Agent) Profile() events.Profile {
	if !a.Codex {
		return events.Profile{}
	}
	if a.Nameless {
		return events.CodexProfile(lastNameless)
	}
	return events.CodexProfile(a.Version)
}

func beginsWithDigit(s string) bool { return s != "" && '0' <= s[0] && s[0] <= '9' }

func bounded(s string) string {
	if len(s) > maxAgentBytes {
		return strings.Clone(s[:maxAgentBytes])
	}
	return s
}
