package responsestest

import "strings"

// Event types of the output of a response.
const (
	typeItemAdded = "response.output_item.added"
	typeItemDone  = "response.output_item.done"
	typeTextDelta = "response.output_text.delta"
)

// deltaItemID is the item that deltas without an item of their own belong to.
const deltaItemID = "msg_1"

// OutputItemAdded returns response.output_item.added: an item begins.
func OutputItemAdded(item Item) Event { return build(typeItemAdded, `,"item":`+string(item)) }

// OutputItemDone returns response.output_item.done: an item is complete. Codex
// acts on it at once, so a tool starts while the stream goes on.
func OutputItemDone(item Item) Event { return build(typeItemDone, `,"item":`+string(item)) }

// Message returns output_item.done for a message of the assistant.
func Message(itemID, text string) Event { return OutputItemDone(MessageItem(itemID, text)) }

// FunctionCall returns output_item.done for a call of the function name.
func FunctionCall(callID, name, arguments string) Event {
	return OutputItemDone(FunctionCallItem(callID, name, arguments))
}

// CustomToolCall returns output_item.done for a call of a custom tool.
func CustomToolCall(callID, name, input string) Event {
	return OutputItemDone(CustomToolCallItem(callID, name, input))
}

// LocalShellCall returns output_item.done for a call of the built-in shell. Codex
// 0.45 runs it, newer ones ignore it and end the turn.
func LocalShellCall(callID string, command ...string) Event {
	return OutputItemDone(LocalShellCallItem(callID, command...))
}

// ApplyPatch returns output_item.done for apply_patch as a custom tool, with the
// patch as its input.
func ApplyPatch(callID, patch string) Event { return CustomToolCall(callID, "apply_patch", patch) }

// ApplyPatchFunction returns output_item.done for apply_patch as a function,
// with the patch in its argument "input".
func ApplyPatchFunction(callID, patch string) Event {
	arguments := encode(struct {
		Input string `json:"input"`
	}{patch})
	return FunctionCall(callID, "apply_patch", arguments)
}

// Reasoning returns output_item.done for a reasoning item.
func Reasoning(itemID string, summary ...string) Event {
	return OutputItemDone(ReasoningItem(itemID, summary...))
}

// WebSearchCallAdded returns output_item.added for a web search that begins.
func WebSearchCallAdded(itemID, query string) Event {
	return OutputItemAdded(webSearchCall(itemID, "in_progress", query))
}

// WebSearchCall returns output_item.done for a finished web search.
func WebSearchCall(itemID, query string) Event {
	return OutputItemDone(WebSearchCallItem(itemID, query))
}

// TextDelta returns response.output_text.delta: a piece of a message. Newer
// Codex counts a delta but shows it only within an item; see [MessageStream].
func TextDelta(text string) Event { return textDelta(deltaItemID, text) }

func textDelta(itemID, text string) Event {
	return build(typeTextDelta, field("item_id", itemID), `,"content_index":0`, field("delta", text))
}

// ReasoningSummaryDelta returns response.reasoning_summary_text.delta.
func ReasoningSummaryDelta(text string) Event {
	return build("response.reasoning_summary_text.delta",
		field("item_id", "rs_1"), `,"summary_index":0`, field("delta", text))
}

// FunctionArgumentsDelta returns response.function_call_arguments.delta: a piece
// of the arguments of the call callID.
func FunctionArgumentsDelta(callID, delta string) Event {
	return build("response.function_call_arguments.delta", field("item_id", "fc_"+callID), field("delta", delta))
}

// CustomToolInputDelta returns response.custom_tool_call_input.delta: a piece of
// the input of the call callID.
func CustomToolInputDelta(callID, delta string) Event {
	return build("response.custom_tool_call_input.delta", field("item_id", "ctc_"+callID), field("delta", delta))
}

// MessageStream returns the whole run of events with which the API streams a
// message: the item and its part begin, one delta for each chunk, both end.
func MessageStream(itemID string, chunks ...string) []Event {
	const head = `,"content_index":0`
	id := field("item_id", itemID)
	events := []Event{
		OutputItemAdded(messageItem(itemID, "in_progress")),
		build("response.content_part.added", id, head, field("part", outputText(""))),
	}
	for _, chunk := range chunks {
		events = append(events, textDelta(itemID, chunk))
	}
	text := strings.Join(chunks, "")
	return append(events,
		build("response.output_text.done", id, head, field("text", text)),
		build("response.content_part.done", id, head, field("part", outputText(text))),
		Message(itemID, text),
	)
}
