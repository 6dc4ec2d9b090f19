package events

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The preview of a tool's output that Codex tells (codex-rs core
// src/tools/context.rs, telemetry_preview).
const (
	previewBytes  = 2048
	previewLines  = 64
	bytesPerToken = 4 // as Codex counts the tokens of an output
	previewNotice = "[... telemetry preview truncated ...]"
)

// codexOutput returns the output as the release tells it, and whether it was
// cut. Codex cuts what a tool gave back, not what it failed with.
func codexOutput(event *ToolResult, profile Profile) (output Opt[string], truncated Opt[bool]) {
	output = event.Output
	if !profile.Codex || !output.Set {
		return output, event.Truncated
	}
	if event.Image != nil {
		output.Value = strings.Replace(output.Value, event.Image.Omitted(), event.Image.codexImage(profile), 1)
	}
	if profile.structuresShell() {
		output.Value = structured(event.ToolName, output.Value)
	}
	cut := strings.HasSuffix(output.Value, previewNotice)
	if profile.previewsOutput() && event.Success && !cut {
		lines := previewLines
		if profile.tellsNamespace() {
			lines = math.MaxInt
			output.Value, cut = untruncated(output.Value)
		}
		kept, more := preview(output.Value, lines)
		output.Value, cut = kept, cut || more
	}
	if !profile.tellsNamespace() {
		return output, Opt[bool]{}
	}
	if event.Truncated.Set {
		return output, event.Truncated
	}
	return output, Some(cut)
}

// preview cuts content to some bytes and lines and says so.
func preview(content string, lines int) (string, bool) {
	end := min(len(content), previewBytes)
	for end > 0 && end < len(content) && !utf8.RuneStart(content[end]) {
		end--
	}
	for at, n := 0, 0; at < end; n++ {
		if n == lines {
			end = at
			break
		}
		line := strings.IndexByte(content[at:end], '\n')
		if line < 0 {
			break
		}
		at += line + 1
	}
	if end == len(content) {
		return content, false
	}
	kept := content[:end]
	if lines == previewLines {
		kept = strings.ReplaceAll(kept, "\r\n", "\n")
	}
	if kept != "" && !strings.HasSuffix(kept, "\n") {
		kept += "\n"
	}
	return kept + previewNotice, true
}

// untruncated leaves out what the text for the model says about its own cut:
// the preview of these releases is made of the whole output. cut reports that
// the whole is longer than a preview.
func untruncated(output string) (text string, cut bool) {
	head, body, ok := strings.Cut(output, "\nOutput:\n")
	if !ok || len(head) > 512 {
		return output, false
	}
	rest, ok := strings.CutPrefix(body, "Warning: truncated output (original token count: ")
	if !ok {
		return output, false
	}
	count, rest, ok := strings.Cut(rest, ")\n")
	if !ok {
		return output, false
	}
	if tokens, err := strconv.ParseInt(count, 10, 32); err == nil {
		cut = tokens*bytesPerToken > previewBytes
	}
	if after, ok := strings.CutPrefix(rest, "Total output lines: "); ok {
		if _, after, ok = strings.Cut(after, "\n\n"); ok {
			rest = after
		}
	}
	return head + "\nOutput:\n" + rest, cut
}

// structured undoes what Codex does to the output of the shell before it sends
// it to a model with a freeform apply_patch tool (codex-rs core
// src/client_common.rs, build_structured_output).
func structured(tool, output string) string {
	switch tool {
	case "shell", "container.exec", "local_shell", "apply_patch":
	default:
		return output
	}
	rest, ok := strings.CutPrefix(output, "Exit code: ")
	if !ok {
		return output
	}
	code, rest, _ := strings.Cut(rest, "\nWall time: ")
	seconds, rest, ok := strings.Cut(rest, " seconds\n")
	if !ok {
		return output
	}
	exit, errExit := strconv.ParseInt(code, 10, 32)
	took, errTook := strconv.ParseFloat(seconds, 32)
	if errExit != nil || errTook != nil {
		return output
	}
	if total, after, ok := strings.Cut(rest, "\nOutput:\n"); ok && strings.HasPrefix(total, "Total output lines: ") && !strings.Contains(total, "\n") {
		rest = total + "\n\n" + after
	} else if rest, ok = strings.CutPrefix(rest, "Output:\n"); !ok {
		return output
	}
	return `{"output":` + jsonString(rest) + `,"metadata":{"exit_code":` + strconv.FormatInt(exit, 10) +
		`,"duration_seconds":` + jsonFloat(took) + `}}`
}

// jsonString writes s as serde_json does: nothing is escaped that need not be.
func jsonString(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 16)
	b.WriteByte('"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b.WriteString(s[from:i])
		from = i + 1
		if at := strings.IndexByte("\b\t\n\f\r\"\\", c); at >= 0 {
			b.WriteByte('\\')
			b.WriteByte(`btnfr"\`[at])
			continue
		}
		b.WriteString(`\u00`)
		b.WriteByte("0123456789abcdef"[c>>4])
		b.WriteByte("0123456789abcdef"[c&15])
	}
	b.WriteString(s[from:])
	b.WriteByte('"')
	return b.String()
}

// jsonFloat writes a number as serde_json does a float: 1 is 1.0.
func jsonFloat(f float64) string {
	text := strconv.FormatFloat(f, 'f', -1, 32)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
