package responsestest

import (
	"strings"

	"github.com/tidwall/gjson"
)

// InputItem is one item of a request's input. Fields that its type does not have
// are empty.
type InputItem struct {
	Type      string // "message" where a message leaves its type out
	ID        string
	Role      string // of a message
	Text      string // of a message: its text parts, joined without separator
	Name      string // of a call
	CallID    string // of a call and of its output
	Arguments string // of a function_call
	Input     string // of a custom_tool_call
	Output    string // of an output: the string, or the text parts joined
	Raw       string // the item's JSON
}

// Input returns the items of the request's input, nil if it has none. An input
// that is a plain string counts as one message of the user.
func (r *Request) Input() []InputItem {
	input := r.JSON("input")
	if input.Type == gjson.String {
		return []InputItem{{Type: "message", Role: "user", Text: input.String(), Raw: input.Raw}}
	}
	if !input.IsArray() {
		return nil
	}
	var items []InputItem
	for _, v := range input.Array() {
		item := InputItem{
			Type:      v.Get("type").String(),
			ID:        v.Get("id").String(),
			Role:      v.Get("role").String(),
			Text:      text(v.Get("content")),
			Name:      v.Get("name").String(),
			CallID:    v.Get("call_id").String(),
			Arguments: v.Get("arguments").String(),
			Input:     v.Get("input").String(),
			Output:    text(v.Get("output")),
			Raw:       v.Raw,
		}
		if item.Type == "" && item.Role != "" {
			item.Type = "message"
		}
		items = append(items, item)
	}
	return items
}

// ToolOutput returns what the agent reported as the output of the call callID,
// and whether it reported any. The last report counts.
func (r *Request) ToolOutput(callID string) (string, bool) {
	var output string
	var found bool
	items := r.Input()
	for i := range items {
		if item := &items[i]; item.CallID == callID && strings.HasSuffix(item.Type, "_output") {
			output, found = item.Output, true
		}
	}
	return output, found
}

// text returns content that is a string or a list of parts with a text.
func text(content gjson.Result) string {
	if !content.IsArray() {
		return content.String()
	}
	var b strings.Builder
	for _, part := range content.Array() {
		b.WriteString(part.Get("text").String())
	}
	return b.String()
}
