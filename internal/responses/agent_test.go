package responses_test

import (
	"testing"

	"github.com/codex-proxy/codex-proxy/internal/responses"
)

func TestParseAgent(t *testing.T) {
	for _, test := range []struct {
		userAgent, originator string
		want                  responses.Agent
	}{
		{
			"codex_exec/0.45.0 (Debian 12.0.0; x86_64) xterm", "codex_exec",
			responses.Agent{Originator: "codex_exec", Version: "0.45.0", Terminal: "xterm", Codex: true},
		},
		{
			"Codex Desktop/0.169.0 (Debian 12.0.0; x86_64) unknown (codex_exec; 0.169.0)", "",
			responses.Agent{Originator: "Codex Desktop", Version: "0.169.0", Terminal: "unknown", Codex: true},
		},
		{"OpenAI/JS 7.57.0", "", responses.Agent{Originator: "OpenAI", Version: "7.57.0"}},
		{"Agents/JavaScript 0.20.0", "", responses.Agent{Originator: "Agents", Version: "0.20.0"}},
		{"OpenAI/Go 3.96.0", "", responses.Agent{Originator: "OpenAI", Version: "3.96.0"}},
		{"curl/8.5.0", "", responses.Agent{Originator: "curl", Version: "8.5.0"}},
		{"tool/main more", "", responses.Agent{Originator: "tool", Version: "main"}},
		{"", "", responses.Agent{}},
		{"", "codex_exec", responses.Agent{Originator: "codex_exec", Codex: true, Nameless: true}},
		{"", "Codex Desktop", responses.Agent{Originator: "Codex Desktop", Codex: true, Nameless: true}},
		{"", "other", responses.Agent{Originator: "other"}},
	} {
		if got := responses.ParseAgent(test.userAgent, test.originator); got != test.want {
			t.Errorf("ParseAgent(%q, %q) = %+v; want %+v", test.userAgent, test.originator, got, test.want)
		}
	}
}

// TestNamelessProfile: a Codex whose release is not known, but that it is one of
// those that send no User-Agent with a handshake.
func TestNamelessProfile(t *testing.T) {
	profile := responses.ParseAgent("", "codex_exec").Profile()
	if !profile.Codex || !profile.TellsAuth() || profile.TellsTTFT() {
		t.Errorf("Profile() = %+v; want one of Codex 0.115 to 0.130", profile)
	}
	if profile := responses.ParseAgent("", "other").Profile(); profile.Codex {
		t.Errorf("Profile() = %+v; want none of Codex", profile)
	}
}
