package responses

import (
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// Outcome is what the text of a tool's output tells of how the call went.
type Outcome struct {
	// Ran reports that the text has the shape of a command or a tool that was
	// executed, whatever came of it.
	Ran      bool
	ExitCode events.Opt[int64]
	// Took is the execution time that the text tells; Timed reports that it does.
	Took  time.Duration
	Timed bool
	// Interrupted reports that the user stopped the call, or that it never got an
	// output of its own.
	Interrupted bool
	// Body is what the text says below its header, or all of it.
	Body string
}

// ParseOutcome reads the output of a tool in any of the shapes that releases of
// Codex have used (codex-rs core/src/tools; the JSON of the first shell tools,
// the lines of the later ones). Of other text it tells nothing.
func ParseOutcome(output string) Outcome {
	switch {
	case output == "aborted", output == "command aborted by user", strings.HasPrefix(output, "aborted by user after "):
		return Outcome{Interrupted: true, Body: output}
	case strings.HasPrefix(output, `{"output":`):
		return structured(output)
	default:
		return headed(output)
	}
}

// structured reads {"output":"...","metadata":{"exit_code":0,"duration_seconds":0.1}}.
func structured(output string) Outcome {
	plain := Outcome{Body: output}
	metadata := gjson.Get(output, "metadata")
	code := metadata.Get("exit_code")
	if code.Type != gjson.Number {
		return plain
	}
	o := Outcome{Ran: true, ExitCode: events.Some(code.Int()), Body: gjson.Get(output, "output").String()}
	if seconds := metadata.Get("duration_seconds"); seconds.Type == gjson.Number {
		o.Took, o.Timed = took(seconds.Num)
	}
	return o
}

// maxHeaderLines is more than any header has.
const maxHeaderLines = 12

// headed reads the lines before "Output:".
func headed(output string) Outcome {
	o := Outcome{Body: output}
	rest := output
	for range maxHeaderLines {
		line, after, more := strings.Cut(rest, "\n")
		switch {
		case line == "Output:":
			o.Ran = o.Timed || o.ExitCode.Set
			o.Body = after
			return o
		case line == "aborted by user" && o.Timed && !more:
			return Outcome{Interrupted: true, Took: o.Took, Timed: true, Body: line}
		case !o.header(line):
			return Outcome{Body: output}
		}
		rest = after
	}
	return Outcome{Body: output}
}

// header takes one line of a header, and reports whether it is one.
func (o *Outcome) header(line string) bool {
	if seconds, ok := enclosed(line, "Wall time: ", " seconds"); ok {
		number, err := strconv.ParseFloat(seconds, 64)
		o.Took, o.Timed = took(number)
		return err == nil
	}
	for _, start := range []string{"Exit code: ", "Process exited with code "} {
		if code, ok := strings.CutPrefix(line, start); ok {
			number, err := strconv.ParseInt(code, 10, 64)
			o.ExitCode = events.Some(number)
			return err == nil
		}
	}
	for _, start := range []string{
		"Command: ", "Chunk ID: ", "Process running with session ID ", "Total output lines: ",
		"Original token count: ", "Warning: truncated output (original token count: ",
	} {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}

func enclosed(line, before, after string) (string, bool) {
	rest, ok := strings.CutPrefix(line, before)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, after)
}

// took returns a number of seconds as a duration, if it can be one.
func took(seconds float64) (time.Duration, bool) {
	const most = 365 * 24 * time.Hour
	if !(seconds >= 0 && seconds <= most.Seconds()) {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Microsecond), true
}

// Failed reports whether a text that is no execution tells of a failure. The
// words are those of Codex's handlers and of OpenAI's SDKs.
func (o Outcome) Failed() bool {
	if o.ExitCode.Set {
		return o.ExitCode.Value != 0
	}
	if o.Interrupted {
		return true
	}
	if o.Says(RejectedMCP) || o.Says(CanceledMCP) {
		return true
	}
	if o.Ran {
		return false
	}
	for _, start := range failures {
		if strings.HasPrefix(o.Body, start) {
			return true
		}
	}
	return strings.HasPrefix(o.Body, "`") && strings.Contains(o.Body, "` rejected: ")
}

// Texts of an MCP tool that was not called.
const (
	RejectedMCP = "user rejected MCP tool call"
	CanceledMCP = "user cancelled MCP tool call"
)

// Says reports whether the body is a text, or the one text part of an MCP
// result that says it.
func (o Outcome) Says(words string) bool {
	return o.Body == words || o.Body == `[{"type":"text","text":"`+words+`"}]`
}

// failures begin the texts of a call that failed before anything ran.
var failures = []string{
	"agent ids must be ",
	"An error occurred while running the tool",
	"approval policy is ",
	"apply_patch verification failed",
	"automatic approval review ",
	"Automatic approval review ",
	"Command blocked by ",
	"err: ",
	"error: ",
	"Error: ",
	"exec command aborted by user",
	"exec command rejected",
	"exec_command failed",
	"execution error",
	"failed ",
	"Failed ",
	"invalid ",
	"MCP tool call ",
	"missing ",
	"Network access ",
	"patch rejected",
	"rejected by ",
	"resources/",
	"request_user_input is unavailable",
	"This action was rejected ",
	"tool call error",
	"unable to ",
	"unknown ",
	"unsupported ",
	"write_stdin failed",
}
