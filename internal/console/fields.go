package console

import (
	"fmt"
	"strings"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// fields are the members of AppendJSON's object that a line shows.
type fields struct {
	Name         string `json:"event.name"`
	Time         string `json:"event.timestamp"`
	Conversation string `json:"conversation.id"`
	Response     string `json:"response.id"`
	Severity     string `json:"severity"`
	Body         string `json:"body"`
	DurationMS   *int64 `json:"duration_ms"`
	Error        string `json:"error.message"`
	Model        string `json:"model"`

	PromptLength int64  `json:"prompt_length"`
	Prompt       string `json:"prompt"`

	Method   string `json:"http.request.method"`
	Endpoint string `json:"endpoint"`
	Status   *int64 `json:"http.response.status_code"`
	Attempt  int64  `json:"attempt"`
	CFRay    string `json:"cf_ray"`

	Kind      string `json:"event.kind"`
	EndedBy   string `json:"stream.ended_by"`
	Input     *int64 `json:"input_token_count"`
	Output    int64  `json:"output_token_count"`
	Cached    int64  `json:"cached_token_count"`
	Reasoning int64  `json:"reasoning_token_count"`
	TTFTMS    *int64 `json:"ttft_ms"`

	Tool      string  `json:"tool_name"`
	Decision  string  `json:"decision"`
	Decider   string  `json:"source"`
	Arguments *string `json:"arguments"`
	ToolOut   *string `json:"output"`

	Approval      string `json:"approval_policy"`
	Sandbox       string `json:"sandbox_policy"`
	Effort        string `json:"reasoning_effort"`
	ContextWindow *int64 `json:"context_window"`
}

// underWay reports whether the event is one of many in a response that goes on.
func (f *fields) underWay() bool {
	if f.Name == events.NameWebSocketEvent {
		return f.Error == "" && !f.failed()
	}
	return f.Name == events.NameSSEEvent && f.Error == "" && f.EndedBy == "" && f.Input == nil && !f.failed()
}

func (f *fields) failed() bool { return f.Severity == "ERROR" }

// spans returns the line of an event. took is how long a response took, 0 when
// that is not known; the line has room for so many columns.
func (f *fields) spans(took time.Duration, columns int) []span {
	switch f.Name {
	case events.NameConversationStarts:
		return f.conversation(columns)
	case events.NameUserPrompt:
		return []span{
			{stylePrompt, "▶ " + padded("prompt", nameColumns)},
			{styleDim, fmt.Sprintf("%d chars  ", f.PromptLength)},
			{stylePlain, escape(f.Prompt, columns)},
		}
	case events.NameAPIRequest:
		return f.request(columns)
	case events.NameSSEEvent:
		return f.response(took, columns)
	case events.NameToolDecision:
		return f.decision()
	case events.NameToolResult:
		return f.result(columns)
	default:
		return []span{
			{f.style(stylePlain), "• " + padded(escape(f.Name, maxNameColumns), nameColumns)},
			{stylePlain, escape(f.Body, columns)},
		}
	}
}

func (f *fields) conversation(columns int) []span {
	parts := []string{}
	add := func(label, value string) {
		if value != "" {
			parts = append(parts, label+escape(value, columns))
		}
	}
	add("", f.Model)
	add("effort ", f.Effort)
	add("approval ", f.Approval)
	add("sandbox ", f.Sandbox)
	if f.ContextWindow != nil {
		add("context ", fmt.Sprint(*f.ContextWindow))
	}
	return []span{{stylePrompt, "● " + padded("conversation", nameColumns)}, {stylePlain, strings.Join(parts, "  ")}}
}

func (f *fields) request(columns int) []span {
	status := "   "
	if f.Status != nil {
		status = fmt.Sprintf("%3d", *f.Status)
	}
	details := fmt.Sprintf("%5d ms  attempt %d", f.milliseconds(), f.Attempt)
	if f.CFRay != "" {
		details += "  cf-ray " + escape(f.CFRay, columns)
	}
	line := []span{
		{f.style(styleTraffic), f.symbol("→ ") + strings.TrimSpace(escape(f.Method, maxNameColumns)+" "+escape(f.Endpoint, maxNameColumns))},
		{f.style(stylePlain), "  " + status + "  "},
		{stylePlain, details},
	}
	if f.Status != nil && f.Error == fmt.Sprintf("http %d", *f.Status) {
		return line // It says no more than the status.
	}
	return f.withError(line, columns)
}

func (f *fields) response(took time.Duration, columns int) []span {
	if f.Error != "" && f.Input == nil {
		return []span{
			{f.style(styleDim), f.symbol("– ") + escape(f.Body, columns)},
			// The body says already that there was no completion.
			{stylePlain, ": " + escape(strings.TrimPrefix(f.Error, "stream disconnected before completion: "), columns)},
		}
	}
	name := strings.TrimPrefix(f.Kind, "response.")
	var usage []string
	if f.Input == nil {
		usage = append(usage, "no usage")
	} else {
		usage = append(usage, tokens(*f.Input, "in", f.Cached, "cached"), tokens(f.Output, "out", f.Reasoning, "reasoning"))
	}
	if took > 0 {
		usage = append(usage, fmt.Sprintf("stream %d ms", took.Milliseconds()))
	}
	if f.TTFTMS != nil {
		usage = append(usage, fmt.Sprintf("first item %d ms", *f.TTFTMS))
	}
	return f.withError([]span{
		{f.style(styleSuccess), f.symbol("✓ ") + padded(escape(name, maxNameColumns), nameColumns)},
		{stylePlain, strings.Join(usage, "  ")},
	}, columns)
}

func tokens(n int64, direction string, part int64, label string) string {
	if part == 0 {
		return fmt.Sprintf("%d %s", n, direction)
	}
	return fmt.Sprintf("%d %s (%d %s)", n, direction, part, label)
}

func (f *fields) decision() []span {
	verdict := strings.ReplaceAll(escape(f.Decision, maxNameColumns), "_", " ")
	if f.Decider != "" {
		verdict += " by " + escape(f.Decider, maxNameColumns)
	}
	style := styleQuestion
	if f.Decision == events.DecisionDenied || f.Decision == events.DecisionAbort {
		style = styleFailure
	}
	return []span{{style, "? " + padded(escape(f.Tool, maxNameColumns), nameColumns)}, {stylePlain, verdict}}
}

func (f *fields) result(columns int) []span {
	duration := "        "
	if f.DurationMS != nil {
		duration = fmt.Sprintf("%5d ms", *f.DurationMS)
	}
	name := f.symbol("✓ ") + padded(escape(f.Tool, maxNameColumns), nameColumns)
	line := []span{{f.style(styleSuccess), name}, {stylePlain, duration + "   "}}
	const arrow = "  →  "
	left := max(minValueColumns, columns-textColumns(name+duration+"   "+arrow))
	output := ""
	if f.ToolOut != nil {
		output = escape(strings.TrimRight(*f.ToolOut, "\n"), left)
	}
	if f.Arguments != nil {
		// What the output does not need of its half goes to the arguments, and
		// the other way round.
		arguments := escape(*f.Arguments, max(1, left-min(textColumns(output), left/2)))
		line = append(line, span{stylePlain, arguments})
		left -= textColumns(arguments)
	}
	if output != "" {
		line = append(line, span{styleDim, arrow}, span{stylePlain, escape(strings.TrimRight(*f.ToolOut, "\n"), max(1, left))})
	}
	return line
}

func (f *fields) withError(line []span, columns int) []span {
	if f.Error == "" {
		return line
	}
	return append(line, span{f.style(styleDim), "  " + escape(f.Error, columns)})
}

// symbol returns the symbol of an event that may have failed.
func (f *fields) symbol(success string) string {
	if f.failed() {
		return "✗ "
	}
	return success
}

func (f *fields) style(success style) style {
	if f.failed() {
		return styleFailure
	}
	return success
}

func (f *fields) milliseconds() int64 {
	if f.DurationMS == nil {
		return 0
	}
	return *f.DurationMS
}
