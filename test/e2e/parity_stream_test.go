package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// refusals are answers that are no streams.
func refusals() []scenario {
	refused := func(status int, typ, code string, header ...string) responsestest.Response {
		response := responsestest.Error(status, typ, code, "no")
		for i := 0; i < len(header); i += 2 {
			response.Header[header[i]] = []string{header[i+1]}
		}
		return response
	}
	plain := refused(http.StatusInternalServerError, "server_error", "")
	return []scenario{
		{name: "500 and 503", responses: []responsestest.Response{plain, refused(http.StatusServiceUnavailable, "server_error", "")}},
		{name: "429", fails: true, responses: []responsestest.Response{
			refused(http.StatusTooManyRequests, "rate_limit_error", "rate_limit_exceeded", "Retry-After", "0"),
		}},
		{name: "429 with no hint", fails: true, responses: []responsestest.Response{refused(http.StatusTooManyRequests, "rate_limit_error", "")}},
		{name: "401", fails: true, responses: []responsestest.Response{refused(
			http.StatusUnauthorized, "invalid_request_error", "invalid_api_key",
			"X-Openai-Authorization-Error", "expired", "X-Error-Json", "eyJlcnJvciI6eyJjb2RlIjoidG9rZW5fZXhwaXJlZCJ9fQ==",
		)}},
		{name: "400", fails: true, responses: []responsestest.Response{refused(http.StatusBadRequest, "invalid_request_error", "bad")}},
		{name: "404", fails: true, responses: []responsestest.Response{refused(http.StatusNotFound, "invalid_request_error", "model_not_found")}},
		{name: "refused without cf-ray and id", fails: true, responses: []responsestest.Response{
			{Status: http.StatusBadGateway, Header: http.Header{"Cf-Ray": nil, "X-Request-Id": nil, "Content-Type": {"text/html"}}, Body: []byte("<h1>")},
		}},
	}
}

// failures are streams that end badly.
func failures() []scenario {
	begun := responsestest.Created("r1")
	failed := func(name, code, message string) scenario {
		return scenario{name: name, fails: true, responses: []responsestest.Response{
			responsestest.Stream(begun, responsestest.Failed("r1", code, message)),
		}}
	}
	noRay := responsestest.Response{
		Header: http.Header{"Cf-Ray": nil}, Events: []responsestest.Event{begun}, Abort: responsestest.AbortStream,
	}
	return []scenario{
		failed("failed", "server_error", "we failed"),
		failed("failed for the rate", "rate_limit_exceeded", "Please try again in 10ms."),
		failed("failed for the context", "context_length_exceeded", "too long"),
		failed("failed for the quota", "insufficient_quota", "pay"),
		{name: "incomplete", fails: true, responses: []responsestest.Response{
			responsestest.Stream(begun, responsestest.Incomplete("r1", "max_output_tokens")),
		}},
		{name: "filtered", fails: true, responses: []responsestest.Response{
			responsestest.Stream(begun, responsestest.Incomplete("r1", "content_filter")),
		}},
		{name: "error event", fails: true, responses: []responsestest.Response{
			responsestest.Stream(begun, responsestest.StreamError("server_error", "we failed")),
		}},
		{name: "closed early", responses: []responsestest.Response{responsestest.Stream(begun)}},
		{name: "closed at once", responses: []responsestest.Response{responsestest.Stream()}},
		{name: "cut", responses: []responsestest.Response{{Events: []responsestest.Event{begun}, Abort: responsestest.AbortStream}}},
		{name: "cut without cf-ray", responses: []responsestest.Response{noRay}},
		{name: "failed, then cut", responses: []responsestest.Response{{
			Events: []responsestest.Event{begun, responsestest.Failed("r1", "server_error", "we failed")}, Abort: responsestest.AbortStream,
		}}},
		{name: "completed, then cut", responses: []responsestest.Response{{
			Events: []responsestest.Event{begun, responsestest.CompletedWithTokens("r1", usage)}, Abort: responsestest.AbortStream,
		}}},
		{name: "reset", responses: []responsestest.Response{{Events: []responsestest.Event{begun}, Abort: responsestest.AbortReset}}},
		{name: "no UTF-8", responses: []responsestest.Response{
			responsestest.Stream(begun, responsestest.Raw("data: {\"type\":\"a\xffb\"}\n\n"), responsestest.Message("msg_1", "lost")),
		}},
		{name: "unfinished event", responses: []responsestest.Response{
			responsestest.Stream(begun, responsestest.Raw("event: response.completed\ndata: {\"type\":\"response.completed\"")),
		}},
		{name: "open after the failure", responses: []responsestest.Response{
			responsestest.Stream(begun, responsestest.Failed("r1", "server_error", "we failed"), responsestest.Pause(700*time.Millisecond)),
		}},
		{name: "open after an unreadable completion", responses: []responsestest.Response{responsestest.Stream(
			begun, responsestest.Event{Name: "response.completed", Data: `{"type":"response.completed","response":{}}`},
			responsestest.Pause(700*time.Millisecond),
		)}},
	}
}

// streams are streams that end well.
func streams() []scenario {
	begun, message := responsestest.Created("r1"), responsestest.Message("msg_1", "Hello")
	completed := responsestest.CompletedWithTokens("r1", usage)
	one := func(name string, events ...responsestest.Event) scenario {
		return scenario{name: name, responses: []responsestest.Response{responsestest.Stream(events...)}}
	}
	slow := responsestest.Stream(begun, responsestest.OutputItemAdded(responsestest.MessageItem("msg_1", "")), message, completed)
	slow.Delay, slow.EventDelay = 900*time.Millisecond, 600*time.Millisecond
	noRay := responsestest.Stream(begun, message, completed)
	noRay.Header = http.Header{"Cf-Ray": nil, "X-Request-Id": nil}
	nameless := done
	nameless.Events = nil
	for _, event := range done.Events {
		nameless.Events = append(nameless.Events, responsestest.Event{Data: event.Data})
	}
	crlf := responsestest.Response{
		Body: []byte(strings.ReplaceAll(string(responsestest.SSE(done.Events...)), "\n", "\r\n")), ChunkBytes: 7,
	}
	return []scenario{
		{name: "slow", responses: []responsestest.Response{slow}},
		{name: "without cf-ray", responses: []responsestest.Response{noRay}},
		{name: "without event fields", responses: []responsestest.Response{nameless}},
		{name: "CRLF in pieces", responses: []responsestest.Response{crlf}},
		one("whole message", append(append([]responsestest.Event{begun, responsestest.InProgress("r1")},
			responsestest.MessageStream("msg_1", "He", "l", "lo")...), completed)...),
		one("without usage", begun, message, responsestest.Completed("r1")),
		one("without details", begun, message,
			responsestest.CompletedWithTokens("r1", responsestest.Usage{Input: 3, Output: 4, NoDetails: true})),
		one("cache written", begun, message, responsestest.CompletedWithTokens("r1", responsestest.Usage{Input: 9, CacheWrite: 5, Output: 4})),
		one("unknown types", begun, responsestest.Event{Name: "response.sparkles.delta", Data: `{"type":"response.sparkles.delta"}`},
			responsestest.Event{Name: "keepalive", Data: `{"type":"keepalive","sequence_number":3}`}, message, completed),
		one("comments", responsestest.Comment("hi"), begun, responsestest.Pause(400*time.Millisecond), responsestest.Comment("still here"),
			responsestest.Raw("event: ignored\n\nid: 7\nretry: 10\n"), message, completed),
		one("data in lines", begun, responsestest.Event{Name: "x", Data: "{\n\"type\": \"x\",\n\n\"n\":\n1}"}, message,
			responsestest.Event{Name: completed.Name, Data: strings.ReplaceAll(completed.Data, ",", ",\n")}),
		one("after the completion", begun, message, completed, responsestest.Done(), responsestest.TextDelta("late")),
		one("marker first", responsestest.Done(), begun, message, completed),
		one("failed, then completed", begun, responsestest.Failed("r1", "server_error", "no"), message, completed),
		one("completed as another event", begun, message, responsestest.Event{Name: "sparkles", Data: completed.Data}),
		one("big", append(append([]responsestest.Event{begun}, deltas(1200, 100)...), append(deltas(1, 1<<18),
			responsestest.Message("msg_1", strings.Repeat("Hello ", 1<<15)), completed)...)...),
	}
}

// deltas returns n pieces of text of so many bytes.
func deltas(n, size int) []responsestest.Event {
	list := make([]responsestest.Event, n)
	for i := range list {
		list[i] = responsestest.TextDelta(strings.Repeat("é", size/2))
	}
	return list
}

// documents is a stream of data that is malformed in all the ways that the unit tests know.
func documents(t *testing.T) scenario {
	t.Helper()
	list := []responsestest.Event{responsestest.Created("r1")}
	for _, document := range readSaid(t).Documents {
		list = append(list, responsestest.Event{Name: "response.sparkles", Data: document.Data},
			responsestest.Event{Name: "response.failed", Data: document.Data})
	}
	list = append(list, responsestest.Message("msg_1", "Hello"), responsestest.CompletedWithTokens("r1", usage))
	return scenario{name: "documents", responses: []responsestest.Response{responsestest.Stream(list...)}}
}
