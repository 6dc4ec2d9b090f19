package responses_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// The texts are those of real runs, or as Codex's sources write them.
func TestParseOutcome(t *testing.T) {
	exit := events.Some[int64]
	tests := map[string]struct {
		output string
		want   responses.Outcome
		failed bool
	}{
		"JSON of the first shell": {
			`{"output":"hi\n","metadata":{"exit_code":0,"duration_seconds":0.2}}`,
			responses.Outcome{Ran: true, ExitCode: exit(0), Took: 200 * time.Millisecond, Timed: true, Body: "hi\n"},
			false,
		},
		"JSON of a timeout": {
			`{"output":"command timed out after 502 milliseconds\na\n","metadata":{"exit_code":124,"duration_seconds":0.5}}`,
			responses.Outcome{Ran: true, ExitCode: exit(124), Took: 500 * time.Millisecond, Timed: true, Body: "command timed out after 502 milliseconds\na\n"},
			true,
		},
		"first unified exec": {
			"Wall time: 0.010 seconds\nProcess exited with code 0\nOutput:\n1\n",
			responses.Outcome{Ran: true, ExitCode: exit(0), Took: 10 * time.Millisecond, Timed: true, Body: "1\n"},
			false,
		},
		"shell": {
			"Exit code: 3\nWall time: 0.2 seconds\nOutput:\nno\n",
			responses.Outcome{Ran: true, ExitCode: exit(3), Took: 200 * time.Millisecond, Timed: true, Body: "no\n"},
			true,
		},
		"shell, cut": {
			"Exit code: 0\nWall time: 1 seconds\nTotal output lines: 30000\nOutput:\n1\n",
			responses.Outcome{Ran: true, ExitCode: exit(0), Took: time.Second, Timed: true, Body: "1\n"},
			false,
		},
		"unified exec": {
			"Chunk ID: 66f22a\nWall time: 0.4723 seconds\nProcess exited with code 4\nOriginal token count: 1\nOutput:\nhi\n",
			responses.Outcome{Ran: true, ExitCode: exit(4), Took: 472300 * time.Microsecond, Timed: true, Body: "hi\n"},
			true,
		},
		"unified exec with its command": {
			"Command: /bin/bash -lc 'seq 1 100'\nChunk ID: ff425f\nWall time: 0.0000 seconds\nProcess exited with code 0\nOriginal token count: 73\nOutput:\n1\n",
			responses.Outcome{Ran: true, ExitCode: exit(0), Timed: true, Body: "1\n"},
			false,
		},
		"still running": {
			"Chunk ID: 39029b\nWall time: 0.3015 seconds\nProcess running with session ID 30353\nOriginal token count: 0\nOutput:\n",
			responses.Outcome{Ran: true, Took: 301500 * time.Microsecond, Timed: true},
			false,
		},
		"MCP": {
			"Wall time: 0.0007 seconds\nOutput:\n[{\"type\":\"text\",\"text\":\"echo x\"}]",
			responses.Outcome{Ran: true, Took: 700 * time.Microsecond, Timed: true, Body: `[{"type":"text","text":"echo x"}]`},
			false,
		},
		"MCP refused": {
			"Wall time: 0.0090 seconds\nOutput:\n[{\"type\":\"text\",\"text\":\"user rejected MCP tool call\"}]",
			responses.Outcome{Ran: true, Took: 9 * time.Millisecond, Timed: true, Body: `[{"type":"text","text":"user rejected MCP tool call"}]`},
			true,
		},
		"MCP refused, later": {
			"Wall time: 0.0040 seconds\nOutput:\nuser rejected MCP tool call",
			responses.Outcome{Ran: true, Took: 4 * time.Millisecond, Timed: true, Body: "user rejected MCP tool call"},
			true,
		},
		"interrupted":             {"aborted by user after 0.1s", responses.Outcome{Interrupted: true, Body: "aborted by user after 0.1s"}, true},
		"interrupted, with time":  {"Wall time: 0.1 seconds\naborted by user", responses.Outcome{Interrupted: true, Took: 100 * time.Millisecond, Timed: true, Body: "aborted by user"}, true},
		"interrupted by the user": {"command aborted by user", responses.Outcome{Interrupted: true, Body: "command aborted by user"}, true},
		"no output":               {"aborted", responses.Outcome{Interrupted: true, Body: "aborted"}, true},
		"unsupported":             {"unsupported call: nope", responses.Outcome{Body: "unsupported call: nope"}, true},
		"refused by policy":       {"`rm -rf /x` rejected: blocked by policy", responses.Outcome{Body: "`rm -rf /x` rejected: blocked by policy"}, true},
		"plan":                    {"Plan updated", responses.Outcome{Body: "Plan updated"}, false},
		"empty":                   {"", responses.Outcome{}, false},
		"half a header":           {"Wall time: 0.1 seconds", responses.Outcome{Body: "Wall time: 0.1 seconds"}, false},
		"header without a number": {"Exit code: x\nOutput:\n", responses.Outcome{Body: "Exit code: x\nOutput:\n"}, false},
		"a wild number":           {"Wall time: NaN seconds\nOutput:\n", responses.Outcome{Body: ""}, false},
		"Output alone":            {"Output:\nx", responses.Outcome{Body: "x"}, false},
		"JSON of something else":  {`{"output":"x"}`, responses.Outcome{Body: `{"output":"x"}`}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := responses.ParseOutcome(test.output)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("ParseOutcome() (-want +got):\n%s", diff)
			}
			if got.Failed() != test.failed {
				t.Errorf("Failed() = %t; want %t", got.Failed(), test.failed)
			}
		})
	}
}

func FuzzParseOutcome(f *testing.F) {
	f.Add("Exit code: 3\nWall time: 0.2 seconds\nTotal output lines: 1\nOutput:\nno\n")
	f.Add(`{"output":"hi\n","metadata":{"exit_code":0,"duration_seconds":1e300}}`)
	f.Fuzz(func(t *testing.T, output string) {
		o := responses.ParseOutcome(output)
		if o.Took < 0 || o.Took > 366*24*time.Hour {
			t.Errorf("Took = %s", o.Took)
		}
		if o.Ran && !o.Timed && !o.ExitCode.Set {
			t.Errorf("ParseOutcome(%q) = %+v; want a time or a code of what ran", output, o)
		}
		if !strings.HasPrefix(output, "{") && !strings.HasSuffix(output, o.Body) {
			t.Errorf("Body = %q; want the end of %q", o.Body, output)
		}
	})
}
