package responsestest

import "strings"

// Event types of the life of a response, which belong to no output item.
const (
	typeCreated    = "response.created"
	typeInProgress = "response.in_progress"
	typeCompleted  = "response.completed"
	typeFailed     = "response.failed"
	typeIncomplete = "response.incomplete"
	typeError      = "error"
)

func lifecycle(typ string) bool {
	switch typ {
	case typeCreated, typeInProgress, typeCompleted, typeFailed, typeIncomplete, typeError:
		return true
	}
	return false
}

// Created returns response.created, the first event of a stream.
func Created(id string) Event {
	return build(typeCreated, `,"response":`+object(id, "in_progress", `,"output":[]`))
}

// InProgress returns response.in_progress, which follows response.created.
func InProgress(id string) Event {
	return build(typeInProgress, `,"response":`+object(id, "in_progress", `,"output":[]`))
}

// Completed returns response.completed without token counts: the response has
// no usage field.
func Completed(id string) Event {
	return build(typeCompleted, `,"response":`+object(id, "completed", `,"output":[]`))
}

// CompletedWithTokens returns response.completed with token counts.
func CompletedWithTokens(id string, usage Usage) Event {
	return build(typeCompleted, `,"response":`+object(id, "completed", `,"output":[]`, field("usage", usage.json())))
}

// CompletedWithOutput returns response.completed as the API sends it: with every
// output item once more, and with token counts.
func CompletedWithOutput(id string, usage Usage, output ...Item) Event {
	return build(typeCompleted, `,"response":`+completedObject(id, usage, output))
}

// Failed returns response.failed, for instance with code
// "rate_limit_exceeded", "context_length_exceeded" or "server_error".
func Failed(id, code, message string) Event {
	cause := field("error", struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{code, message})
	return build(typeFailed, `,"response":`+object(id, "failed", cause, `,"output":[],"usage":null`))
}

// Incomplete returns response.incomplete; the API's reasons are
// "max_output_tokens" and "content_filter".
func Incomplete(id, reason string) Event {
	details := field("incomplete_details", struct {
		Reason string `json:"reason"`
	}{reason})
	return build(typeIncomplete, `,"response":`+object(id, "incomplete", `,"error":null`, details, `,"output":[]`))
}

// StreamError returns the error event, with which the API ends a stream that
// failed outside any response.
func StreamError(code, message string) Event {
	return build(typeError, field("code", code), field("message", message), `,"param":null`)
}

func completedObject(id string, usage Usage, output []Item) string {
	items := make([]string, len(output))
	for i, item := range output {
		items[i] = string(item)
	}
	return object(id, "completed", `,"output":[`+strings.Join(items, ",")+"]", field("usage", usage.json()))
}

// object returns a response object with further fields.
func object(id, status string, fields ...string) string {
	return `{"id":` + encode(id) + `,"object":"response"` + field("status", status) + strings.Join(fields, "") + "}"
}
