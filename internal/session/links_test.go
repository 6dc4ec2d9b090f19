package session_test

import (
	"fmt"
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
)

var sdk = map[string]string{"user-agent": "OpenAI/Go 3.1.0"}

// sdk sends a request as an SDK does, which names no conversation.
func (k *talk) sdk(body string) told {
	k.t.Helper()
	return k.send(sdk, body)
}

// in wants a request to be in the conversation of another.
func (x told) in(t *testing.T, other told) told {
	t.Helper()
	if got, want := x.Scope().ConversationID, other.Scope().ConversationID; got != want {
		t.Errorf("conversation.id = %q; want %q", got, want)
	}
	return x
}

// alone wants a request to be in a conversation of its own.
func (x told) alone(t *testing.T, k *talk) told {
	t.Helper()
	if got, want := x.Scope().ConversationID, fmt.Sprint("exchange-", k.n); got != want {
		t.Errorf("conversation.id = %q; want %q, its own", got, want)
	}
	return x
}

func tool(id string) string {
	return `{"type":"function_call","id":"fc_` + id + `","name":"weather","arguments":"{}","call_id":"` + id + `"}`
}

func TestResponsesInAChain(t *testing.T) {
	k := newTalk(t)
	first := k.sdk(`{"input":"hi"}`).alone(t, k).wants(t, "starts", "prompt hi")
	first.Named("resp_1")
	second := k.sdk(body("resp_1", says("hi"))).in(t, first).wants(t, "prompt hi")
	second.Named("resp_2")
	second.answers(tool("a"))
	third := k.sdk(body("resp_2", gives("a", "sunny"))).in(t, first).wants(t, "result a weather true")
	third.Named("resp_3")
	// Another way on from the first response, and somebody else's response.
	k.sdk(body("resp_1", says("or else?"))).in(t, first).wants(t, "prompt or else?")
	k.sdk(body("resp_unknown", says("hi"))).alone(t, k).wants(t, "prompt hi")
	other := map[string]string{"user-agent": "openai-agents/1.0"}
	k.send(other, body("resp_1", says("hi"))).alone(t, k)
}

func TestStoredConversation(t *testing.T) {
	k := newTalk(t)
	first := k.sdk(`{"conversation":"conv_1","input":"hi"}`).wants(t, "starts", "prompt hi")
	if got := first.Scope().ConversationID; got != "conv_1" {
		t.Errorf("conversation.id = %q; want conv_1", got)
	}
	first.answers(tool("a"))
	k.sdk(`{"conversation":{"id":"conv_1"},"input":[`+gives("a", "sunny")+`]}`).in(t, first).wants(t, "result a weather true")
}

// The agent sends everything again, with the ids of what it got.
func TestHistoryWithItemIDs(t *testing.T) {
	k := newTalk(t)
	first := k.sdk(body("", says("hi"))).wants(t, "starts", "prompt hi")
	other := k.sdk(body("", says("hi"))).alone(t, k).wants(t, "starts", "prompt hi")
	first.answers(tool("a"))
	other.answers(tool("b"))
	k.sdk(body("", says("hi"), tool("b"), gives("b", "rain"))).in(t, other).wants(t, "result b weather true")
	second := k.sdk(body("", says("hi"), tool("a"), gives("a", "sunny"))).in(t, first).wants(t, "result a weather true")
	second.answers(`{"type":"message","id":"msg_1","role":"assistant","content":[]}`)
	k.sdk(body("", says("hi"), tool("a"), gives("a", "sunny"), `{"type":"message","id":"msg_1","role":"assistant","content":[]}`, says("bye"))).
		in(t, first).wants(t, "prompt bye")
}

// Some upstreams give the same ids again and again. Conversations that cannot be
// told apart are not merged.
func TestHistoryWithIDsThatRepeat(t *testing.T) {
	k := newTalk(t)
	first := k.sdk(body("", says("hi")))
	first.answers(tool("call_1"))
	k.sdk(body("", says("hi"), tool("call_1"), gives("call_1", "x"))).in(t, first).wants(t, "result call_1 weather true")
	k.sdk(body("", says("hi"))).alone(t, k).answers(tool("call_1"))
	k.sdk(body("", says("hi"), tool("call_1"), gives("call_1", "x"))).alone(t, k)
}

// What is left is no evidence when the other one was forgotten.
func TestHistoryWithIDsOfAForgottenConversation(t *testing.T) {
	k := newTalk(t)
	k.tracker = session.New(session.Config{MaxConversations: 2})
	k.sdk(body("", says("hi"))).answers(tool("call_1"))
	k.sdk(body("", says("hi"))).answers(tool("call_1"))
	k.sdk(body("", says("something else")))
	k.sdk(body("", says("hi"), tool("call_1"), gives("call_1", "x"))).alone(t, k)
}

func TestPromptCacheKey(t *testing.T) {
	keyed := func(items ...string) string { return `{"prompt_cache_key":"k",` + body("", items...)[1:] }
	k := newTalk(t)
	first := k.sdk(keyed(says("hi"))).wants(t, "starts", "prompt hi")
	first.answers(replies("x"))
	k.sdk(keyed(says("hi"), replies("x"), says("more"))).in(t, first).wants(t, "prompt more").answers(replies("y"))
	// The key stands for an application, not for a conversation.
	other := k.sdk(keyed(says("good morning"))).alone(t, k).wants(t, "starts", "prompt good morning")
	other.answers(replies("x"))
	k.sdk(keyed(says("good morning"), replies("x"), says("more"))).in(t, other).wants(t, "prompt more").answers(replies("z"))
	k.sdk(keyed(says("hi"), replies("x"), says("more"), replies("y"), says("more"))).in(t, first).wants(t, "prompt more")
	k.sdk(keyed(says("good night"), replies("x"), says("more"))).alone(t, k).wants(t, "prompt more")
	k.sdk(keyed(says("good morning"), replies("x"), says("more"), replies("another"), says("end"))).alone(t, k).wants(t, "prompt end")
	// Two that are alike so far are not merged.
	for range 2 {
		k.sdk(keyed(says("again"))).alone(t, k).wants(t, "starts", "prompt again").answers(replies("x"))
	}
	k.sdk(keyed(says("again"), replies("x"), says("end"))).alone(t, k).wants(t, "prompt end")
}

// An SDK repeats a request that failed, and two programs may ask the same.
func TestRetryOfAnSDK(t *testing.T) {
	k := newTalk(t)
	failed := func(x told, status int) {
		k.tracker.Attempt(session.Call{Scope: x.Scope(), Endpoint: "/responses", Sum: sumOf(body("", says("hi"))), Arrived: x.at, Answered: x.at, Status: status})
	}
	first := k.sdk(body("", says("hi"))).wants(t, "starts", "prompt hi")
	failed(first, 500)
	second := k.sdk(body("", says("hi"))).in(t, first).wants(t)
	failed(second, 200)
	// The body stalled, and the SDK says that it tries again.
	retry := map[string]string{"user-agent": sdk["user-agent"], "x-stainless-retry-count": "1"}
	third := k.send(retry, body("", says("hi"))).in(t, first).wants(t)
	failed(third, 200)
	first2 := map[string]string{"user-agent": sdk["user-agent"], "x-stainless-retry-count": "0"}
	k.send(first2, body("", says("hi"))).alone(t, k).wants(t, "starts", "prompt hi")
}

func sumOf(document string) uint64 {
	inspector := responses.NewInspector(responses.InspectorConfig{})
	inspector.Write([]byte(document))
	return inspector.Request().Sum
}

// A response in the background is asked for by its id.
func TestStoredResponse(t *testing.T) {
	k := newTalk(t)
	first := k.sdk(`{"background":true,"input":"hi"}`)
	first.Named("resp_1")
	stored := k.tracker.Begin(&session.Arrival{
		Header: headers("user-agent", "OpenAI/Go 3.1.0"), Endpoint: responses.EndpointOf("GET", "/responses/resp_1"),
		ResponseID: "resp_1", ExchangeID: "x", Auth: 1, At: k.now,
	})
	told{stored, k.now, stored.Records()}.in(t, first).wants(t).answers(tool("a"))
	k.sdk(body("resp_1", gives("a", "sunny"))).in(t, first).wants(t, "result a weather true")
}

// An agent that is not Codex makes decisions of which its traffic says nothing.
func TestNoDecisionsOfOtherAgents(t *testing.T) {
	k := newTalk(t)
	first := k.sdk(`{"input":"hi"}`)
	first.Named("resp_1")
	first.answers(calls("a"))
	x := k.sdk(body("resp_1", gives("a", "exec command rejected by user"))).wants(t, "result a shell false")
	if result := x.Records()[0].Event.(*events.ToolResult); result.MCPServer.Set || result.MCPOrigin.Set {
		t.Errorf("result = %+v; want nothing about servers", result)
	}
}
