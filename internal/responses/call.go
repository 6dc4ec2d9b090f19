package responses

import "strings"

// Call is a tool call as the model made it.
type Call struct {
	ID        string // call_id
	Name      string
	Namespace string // of the tool, "" for none
	// Arguments are as the model wrote them: the JSON of a function, the text of
	// a custom tool, the words of a local shell command joined by spaces.
	Arguments string
}

// Call returns the call that an item of KindCall is.
func (i *Item) Call() Call {
	call := Call{ID: i.CallID(), Name: identifier(i.name), Namespace: identifier(i.namespace)}
	switch {
	case i.arguments != nil:
		call.Arguments = text(i.arguments)
	case i.action != nil:
		call.Arguments = command(i.action)
	}
	if call.Name == "" {
		call.Name = strings.TrimSuffix(string(i.typ), "_call")
	}
	return call
}

// command returns the words of a local shell action joined by spaces, as Codex
// tells them.
func command(action []byte) string {
	var words []string
	for key, value := range fields(action) {
		if string(key) == "command" {
			for word := range entries(value) {
				words = append(words, text(word))
			}
		}
	}
	return strings.Join(words, " ")
}
