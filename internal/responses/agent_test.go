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
	} {
		if got := responses.ParseAgent(test.userAgent, test.originator); got != test.want {
			t.Errorf("ParseAgent(%q, %q) = %+v; want %+v", test.userAgent, test.originator, got, test.want)
		}
	}
}
