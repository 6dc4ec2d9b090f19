package redact

import (
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
)

// TestCutTellsNoPartOfACredential has a password wherever a text may be cut, also where the cut is in the middle of it.
func TestCutTellsNoPartOfACredential(t *testing.T) {
	const password = "correct-horse-and-sixty-bytes-more-of-battery-staples-than-needed"
	cfg := Config{Scanner: newScanner(t), Outputs: Policy{MaxBytes: 128}}
	for before := range 128 {
		text := strings.Repeat("x", before) + " postgres://app:" + password + "@db/x" + strings.Repeat(" tail", 40)
		given := events.Record{Event: &events.ToolResult{Output: events.Some(text)}}
		told := pass(cfg, given).Event.(*events.ToolResult).Output.Value
		if strings.Contains(told, password[:8]) {
			t.Errorf("with %d bytes before the credential: told %q; want nothing of it", before, told)
		}
		if len(told) > 128 {
			t.Errorf("told %d bytes; want at most 128", len(told))
		}
	}
}
