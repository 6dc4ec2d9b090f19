package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// tokens is the usage of responses in the tests: 12/4/3/1/15 in a [story].
var tokens = responsestest.Usage{Input: 12, Cached: 4, Output: 3, Reasoning: 1}

// stored is a response that the API keeps, as far as it got: without output until it is completed.
func stored(id, status string) responsestest.Response {
	if status == "completed" {
		return responsestest.CompletedJSON(id, tokens, responsestest.MessageItem("msg_1", "Hello"))
	}
	return document(`{"id":"` + id + `","object":"response","background":true,"status":"` + status + `","output":[],"usage":null}`)
}

// document is an answer of JSON.
func document(text string) responsestest.Response {
	return responsestest.JSON(http.StatusOK, json.RawMessage(text))
}

// greeting is a stream that says hello in two deltas, numbered as the API does. It has 9 events.
func greeting(id string) []responsestest.Event {
	events := []responsestest.Event{responsestest.Created(id)}
	events = append(events, responsestest.MessageStream("msg_1", "Hel", "lo")...)
	events = append(events, responsestest.CompletedWithOutput(id, tokens, responsestest.MessageItem("msg_1", "Hello")))
	return responsestest.Numbered(events...)
}

// greeted is what a [story] tells of a [greeting] in the first conversation.
func greeted() []string {
	return prefixed("1",
		"response.created",
		"response.output_item.added",
		"response.content_part.added",
		"response.output_text.delta x2",
		"response.output_text.done",
		"response.content_part.done",
		"response.output_item.done",
		"response.completed 12/4/3/1/15 by completed",
	)
}

// prefixed puts a conversation before lines of a [story].
func prefixed(conversation string, lines ...string) []string {
	for i := range lines {
		lines[i] = conversation + " " + lines[i]
	}
	return lines
}

// weather are the calls of the tool get_weather that two cities make.
func weather() []responsestest.Item {
	return []responsestest.Item{
		responsestest.FunctionCallItem("call_1", "get_weather", `{"city":"Paris"}`),
		responsestest.FunctionCallItem("call_2", "get_weather", `{"city":"Rome"}`),
	}
}

// forecast is a stream with these calls.
func forecast(id string) []responsestest.Event {
	events := []responsestest.Event{responsestest.Created(id)}
	for _, item := range weather() {
		events = append(events, responsestest.OutputItemAdded(item), responsestest.OutputItemDone(item))
	}
	events = append(events, responsestest.CompletedWithOutput(id, tokens, weather()...))
	return responsestest.Numbered(events...)
}

// soon are the headers of a failure that tell an SDK to ask again at once.
func soon(failure responsestest.Response) responsestest.Response {
	failure.Header = failure.Header.Clone()
	failure.Header.Set("Retry-After-Ms", "1")
	return failure
}

// never holds an answer until the client leaves.
func never() responsestest.Event { return responsestest.Wait(make(chan struct{})) }

// begins is what a [story] tells of the first request of a conversation before it is answered.
func begins(conversation string, promptLength int) []string {
	return prefixed(conversation, "starts", fmt.Sprintf("prompt of %d", promptLength))
}

// asks is what a [story] tells of a request that was answered.
func asks(conversation string, attempt int) []string {
	return prefixed(conversation, fmt.Sprintf("POST /responses 200 attempt %d", attempt))
}

// created is what a [story] tells of a request that was answered with a response as a document.
func created(conversation string, attempt int) []string {
	return append(asks(conversation, attempt), prefixed(conversation, "response.completed 12/4/3/1/15 by completed")...)
}

// results is what a [story] tells of the outputs of [weather] in the first conversation.
func results() []string {
	return prefixed("1",
		`result get_weather call_1 {"city":"Paris"} success true: sunny in Paris`,
		`result get_weather call_2 {"city":"Rome"} success true: sunny in Rome`,
	)
}

// forecasted is what a [story] tells of a [forecast] in the first conversation.
func forecasted() []string {
	return prefixed("1",
		"response.created",
		"response.output_item.added",
		"response.output_item.done",
		"response.output_item.added",
		"response.output_item.done",
		"response.completed 12/4/3/1/15 by completed",
	)
}
