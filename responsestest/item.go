package responsestest

// Item is an output item of a response, as JSON. The builders make those that
// Codex knows; a conversion makes any other.
type Item string

type contentPart struct {
	Type        string `json:"type"`
	Annotations *[]any `json:"annotations,omitempty"`
	Text        string `json:"text"`
}

func outputText(text string) contentPart {
	return contentPart{Type: "output_text", Annotations: &[]any{}, Text: text}
}

// MessageItem returns an assistant message of one text.
func MessageItem(id, text string) Item {
	return messageItem(id, "completed", outputText(text))
}

func messageItem(id, status string, content ...contentPart) Item {
	if content == nil {
		content = []contentPart{}
	}
	return Item(encode(struct {
		ID      string        `json:"id"`
		Type    string        `json:"type"`
		Status  string        `json:"status"`
		Role    string        `json:"role"`
		Content []contentPart `json:"content"`
	}{id, "message", status, "assistant", content}))
}

// FunctionCallItem returns a call of the function name. Arguments is the JSON
// text that the model wrote; it travels as a string and need not be valid.
func FunctionCallItem(callID, name, arguments string) Item {
	return Item(encode(struct {
		ID        string `json:"id"`
		Type      string `json:"type"`
		Status    string `json:"status"`
		Arguments string `json:"arguments"`
		CallID    string `json:"call_id"`
		Name      string `json:"name"`
	}{"fc_" + callID, "function_call", "completed", arguments, callID, name}))
}

// CustomToolCallItem returns a call of a custom (freeform) tool.
func CustomToolCallItem(callID, name, input string) Item {
	return Item(encode(struct {
		ID     string `json:"id"`
		Type   string `json:"type"`
		Status string `json:"status"`
		CallID string `json:"call_id"`
		Input  string `json:"input"`
		Name   string `json:"name"`
	}{"ctc_" + callID, "custom_tool_call", "completed", callID, input, name}))
}

// LocalShellCallItem returns a call of the built-in shell tool.
func LocalShellCallItem(callID string, command ...string) Item {
	if command == nil {
		command = []string{}
	}
	type action struct {
		Type    string            `json:"type"`
		Command []string          `json:"command"`
		Env     map[string]string `json:"env"`
	}
	return Item(encode(struct {
		ID     string `json:"id"`
		Type   string `json:"type"`
		Status string `json:"status"`
		Action action `json:"action"`
		CallID string `json:"call_id"`
	}{"lsh_" + callID, "local_shell_call", "completed", action{"exec", command, map[string]string{}}, callID}))
}

// ReasoningItem returns a reasoning item with its summary paragraphs.
func ReasoningItem(id string, summary ...string) Item {
	parts := []contentPart{}
	for _, text := range summary {
		parts = append(parts, contentPart{Type: "summary_text", Text: text})
	}
	return Item(encode(struct {
		ID      string        `json:"id"`
		Type    string        `json:"type"`
		Summary []contentPart `json:"summary"`
	}{id, "reasoning", parts}))
}

// WebSearchCallItem returns a finished web search, which the API itself runs.
func WebSearchCallItem(id, query string) Item {
	return webSearchCall(id, "completed", query)
}

func webSearchCall(id, status, query string) Item {
	type action struct {
		Type  string `json:"type"`
		Query string `json:"query"`
	}
	return Item(encode(struct {
		ID     string `json:"id"`
		Type   string `json:"type"`
		Status string `json:"status"`
		Action action `json:"action"`
	}{id, "web_search_call", status, action{"search", query}}))
}
