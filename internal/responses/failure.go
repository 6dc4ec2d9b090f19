package responses

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// disconnected starts every text of a stream that ended without a completion.
const disconnected = "stream disconnected before completion: "

// failureText is what Codex says in the end about a response.failed event.
func failureText(response gjson.Result, profile events.Profile) string {
	failure := response.Get("error")
	if !response.Exists() {
		return ""
	}
	if !failure.Exists() {
		return disconnected + "response.failed event received"
	}
	message := failure.Get("message").String()
	if profile.Seed() {
		return disconnected + message
	}
	switch failure.Get("code").String() {
	case "context_length_exceeded":
		return "Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying."
	case "insufficient_quota":
		return "Quota exceeded. Check your plan and billing details."
	case "usage_not_included":
		return "To use Codex with your ChatGPT plan, upgrade to Plus: https://chatgpt.com/explore/plus."
	case "invalid_prompt", "bio_policy":
		if message == "" {
			return "Invalid request."
		}
		return message
	case "cyber_policy", "misalignment_policy_violation":
		return message
	case "server_is_overloaded", "slow_down":
		return "Selected model is at capacity. Please try a different model."
	default:
		return disconnected + message
	}
}

// incompleteText is what Codex says about a response.incomplete event; its
// first releases ignored it.
func incompleteText(response gjson.Result, profile events.Profile) string {
	if profile.Seed() {
		return ""
	}
	reason := response.Get("incomplete_details.reason").String()
	if reason == "" {
		reason = "unknown"
	}
	return disconnected + "Incomplete response returned, reason: " + reason
}

// completionText is what Codex says about a completion it cannot read, "" for
// one it can (codex-rs ResponseCompleted).
func completionText(response gjson.Result) string {
	if !response.IsObject() {
		return disconnected + "stream closed before response.completed"
	}
	if response.Get("id").Type != gjson.String {
		return disconnected + "failed to parse ResponseCompleted: missing field `id`"
	}
	return ""
}

// compact returns data as compact JSON with the order of keys kept, the way
// Codex re-serializes a failure.
func compact(data []byte) string {
	var out bytes.Buffer
	if err := json.Compact(&out, data); err != nil {
		return string(data)
	}
	return out.String()
}

// jsonError says in serde_json's form (text, line, column) why data is not
// JSON. The wording is Codex's where the cause is the first byte or the end.
func jsonError(data []byte) string {
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	offset := len(data) - len(trimmed)
	at := func(text string, offset int) string {
		line := 1 + bytes.Count(data[:offset], []byte("\n"))
		column := offset - bytes.LastIndexByte(data[:offset], '\n') - 1
		return fmt.Sprintf("%s at line %d column %d", text, line, column)
	}
	if len(trimmed) == 0 {
		return at("EOF while parsing a value", len(data))
	}
	switch c := trimmed[0]; c {
	case 't', 'f', 'n':
		word := map[byte]string{'t': "true", 'f': "false", 'n': "null"}[c]
		for i := 1; i < len(word); i++ {
			if i >= len(trimmed) {
				return at("EOF while parsing a value", len(data))
			}
			if trimmed[i] != word[i] {
				return at("expected ident", offset+i+1)
			}
		}
		return at("trailing characters", offset+len(word)+1)
	case '{', '[', '"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
	default:
		return at("expected value", offset+1)
	}
	var value any
	err := json.Unmarshal(data, &value)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		position := min(int(syntax.Offset), len(data))
		if position >= len(data) {
			return at(eofText(trimmed), len(data))
		}
		return at("invalid JSON", position)
	}
	return at("invalid JSON", len(data))
}

// eofText is serde_json's text for a document that ends too early.
func eofText(data []byte) string {
	var open []byte
	inString, escaped := false, false
	for _, c := range data {
		switch {
		case escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			open = append(open, c)
		case (c == '}' || c == ']') && len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	switch {
	case inString:
		return "EOF while parsing a string"
	case len(open) > 0 && open[len(open)-1] == '{':
		return "EOF while parsing an object"
	case len(open) > 0:
		return "EOF while parsing a list"
	default:
		return "EOF while parsing a value"
	}
}
