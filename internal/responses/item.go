package responses

import (
	"bytes"
	"hash/maphash"
	"strings"
)

// Kind is what an item of a request's input or of a response's output is to a
// conversation.
type Kind uint8

// The kinds of items.
const (
	KindOther     Kind = iota // nothing that matters here
	KindUser                  // a message of the user, or one that the agent injected
	KindDeveloper             // a developer or system message
	KindModel                 // something the model produced, but no call
	KindCall                  // a call that the agent answers
	KindOutput                // the output of such a call
	KindSummary               // what a compaction left of the history before it
)

// Item is one item of a request's input or of a response's output. It reads the
// bytes it was parsed from when asked, so they must live as long.
type Item struct {
	Kind Kind
	// Cut reports that only the beginning of the item, or of a string in it, is
	// known.
	Cut bool

	typ, role                    []byte
	id, callID, name, namespace  []byte
	arguments, action            []byte // raw JSON
	content, output, passthrough []byte // raw JSON; what follows may be in it, too
}

// ParseItem reads the members of an item that matter, as far as it takes; the
// values are decoded when asked for.
func ParseItem(raw []byte) Item {
	var i Item
	at := skipSpace(raw, 0)
	if at >= len(raw) || raw[at] != '{' {
		return i
	}
	for at++; ; at++ {
		key, value := memberAt(raw, at)
		if key == nil || i.enough(key, raw[value:]) {
			break
		}
		at = skipValue(raw, value)
		if at == value {
			break
		}
		i.set(key, raw[value:at])
		if at = skipSpace(raw, at); at >= len(raw) || raw[at] != ',' {
			break
		}
	}
	i.Kind = i.kind()
	return i
}

// enough reports whether nothing matters from a member on. Most of a history is
// what tools gave back and what the model thought: it is not read to its end.
func (i *Item) enough(key, rest []byte) bool {
	if i.typ == nil {
		return false
	}
	switch string(key) {
	case "id", "role", "type", "call_id":
		return false
	case "output":
		if i.callID == nil || i.kind() != KindOutput {
			return false
		}
		i.output = rest
		return true
	case "content":
		if i.kind() != KindModel {
			return false
		}
		i.content = rest
		return true
	default:
		return i.kind() == KindModel
	}
}

func (i *Item) set(key, value []byte) {
	switch string(key) {
	case "type":
		i.typ = unquoted(value)
	case "role":
		i.role = unquoted(value)
	case "id":
		i.id = value
	case "call_id":
		i.callID = value
	case "name":
		i.name = value
	case "namespace":
		i.namespace = value
	case "arguments", "input":
		i.arguments = value
	case "action":
		i.action = value
	case "content":
		i.content = value
	case "output":
		i.output = value
	case "internal_chat_message_metadata_passthrough":
		i.passthrough = value
	}
}

// kind classifies by type and role. A message of the SDKs needs no type.
func (i *Item) kind() Kind {
	switch string(i.typ) {
	case "", "message":
		switch string(i.role) {
		case "user":
			return KindUser
		case "assistant":
			return KindModel
		case "developer", "system":
			return KindDeveloper
		default:
			return KindOther
		}
	case "compaction", "context_compaction", "compaction_summary":
		return KindSummary
	case "reasoning", "item_reference", "web_search_call", "file_search_call", "image_generation_call",
		"code_interpreter_call", "mcp_call", "mcp_list_tools", "mcp_approval_request", "tool_search_call":
		return KindModel
	}
	switch {
	case bytes.HasSuffix(i.typ, []byte("_call")):
		return KindCall
	case bytes.HasSuffix(i.typ, []byte("_call_output")):
		return KindOutput
	default:
		return KindOther
	}
}

// ID returns the item's own id.
func (i *Item) ID() string { return identifier(i.id) }

// CallID returns what a call and its output have in common. An old local shell
// call has its id instead.
func (i *Item) CallID() string {
	if id := identifier(i.callID); id != "" || i.Kind != KindCall {
		return id
	}
	return identifier(i.id)
}

// maxIdentifierBytes bounds an id or a name; those of OpenAI have up to 64.
const maxIdentifierBytes = 256

// identifier returns the string that raw is, "" for one that is too long to be
// an id.
func identifier(raw []byte) string {
	if len(raw) > 2*maxIdentifierBytes {
		return ""
	}
	if id := text(raw); len(id) <= maxIdentifierBytes {
		return id
	}
	return ""
}

// Output returns the text that an item of KindOutput gives back to the model:
// the string it is, or the texts of its parts, each on a line of its own, as
// Codex reads them.
func (i *Item) Output() string {
	output := i.output[:skipValue(i.output, 0)]
	if len(output) == 0 || output[0] == '"' {
		return text(output)
	}
	if output[0] != '[' {
		return string(output)
	}
	var lines []string
	for part := range entries(output) {
		line, ok := partText(part)
		switch {
		case !ok:
			if image := imageOf(part); image != nil {
				lines = append(lines, image.Omitted())
			}
		case len(bytes.TrimSpace(line)) > 0:
			lines = append(lines, string(line))
		}
	}
	return strings.Join(lines, "\n")
}

// HasOutput reports whether an item of KindOutput has something to give back.
func (i *Item) HasOutput() bool { return len(i.output) > 0 }

// partText returns the text of one part of a content, and whether it is one.
func partText(part []byte) (content []byte, ok bool) {
	for key, value := range fields(part) {
		switch string(key) {
		case "type":
			switch string(unquoted(value)) {
			case "input_text", "output_text", "text":
			default:
				return nil, false
			}
		case "text":
			content, ok = textBytes(value), true
		}
	}
	return content, ok
}

// TextSum returns the sum of a message's text, equal for equal texts within this
// process, and whether there is one.
func (i *Item) TextSum() (uint64, bool) {
	var sum maphash.Hash
	sum.SetSeed(seed)
	some := false
	for content := range i.texts() {
		some = some || len(content) > 0
		_, _ = sum.Write(content)
	}
	return sum.Sum64(), some
}
