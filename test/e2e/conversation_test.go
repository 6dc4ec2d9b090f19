package e2e_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// The credentials of an agent and of an exporter, which are nobody else's business.
const (
	agentKey  = receiver.AgentKey
	exportKey = "collector-key-77ab"
)

// conversation is what an agent like Codex 0.45 does in the tests: a request that is answered with a stream, and a report of
// each event that traffic does not tell of.
const (
	conversationRequest = `{"model":"gpt-5-codex","input":[],"stream":true,"reasoning":{"effort":"medium"},"prompt_cache_key":"c1"}`
	conversationReports = `{"event.name":"conversation_starts","conversation.id":"c1","provider_name":"proxy","reasoning_effort":"medium",` +
		`"context_window":272000,"approval_policy":"never","sandbox_policy":"read-only","mcp_servers":""}
{"event.name":"user_prompt","conversation.id":"c1","prompt":"say hello, wörld"}
{"event.name":"tool_decision","conversation.id":"c1","tool_name":"shell","call_id":"call_1","decision":"approved_for_session","source":"user"}
{"event.name":"tool_result","conversation.id":"c1","tool_name":"shell","call_id":"call_1","arguments":"{}","duration_ms":57,"success":false,"output":"no"}
`
	// conversationRecords is how many records a conversation makes.
	conversationRecords = 10
)

// conversationStream is what the model says.
func conversationStream() []responsestest.Event {
	return []responsestest.Event{
		responsestest.Created("resp_1"),
		responsestest.OutputItemAdded(responsestest.MessageItem("msg_1", "")),
		responsestest.TextDelta("Hello"),
		responsestest.Message("msg_1", "Hello"),
		responsestest.CompletedWithTokens("resp_1", responsestest.Usage{Input: 12, Cached: 4, Output: 3, Reasoning: 1, Total: 15}),
	}
}

// newModel returns an upstream that answers every request with the stream of a conversation.
func newModel(t *testing.T) *responsestest.Server {
	t.Helper()
	model := responsestest.NewServer(t)
	model.Any(responsestest.Stream(conversationStream()...))
	return model
}

// agentHeader is what Codex 0.45 sends with a request.
func agentHeader() http.Header {
	return http.Header{
		"Authorization":   {"Bearer " + agentKey},
		"Content-Type":    {"application/json"},
		"Accept":          {"text/event-stream"},
		"User-Agent":      {"codex_exec/0.45.0 (Debian 12.0.0; x86_64) xterm"},
		"Originator":      {"codex_exec"},
		"Conversation_id": {"c1"},
		"Session_id":      {"c1"},
	}
}

// converse holds another conversation through p with a model of [newModel], which must not notice the proxy. The first one
// is c1.
func converse(t *testing.T, p *proxy) {
	t.Helper()
	p.conversations++
	number := strconv.Itoa(p.conversations)
	another := strings.NewReplacer(`"c1"`, `"c`+number+`"`, `"call_1"`, `"call_`+number+`"`)
	header := agentHeader()
	header.Set("Conversation_id", "c"+number)
	header.Set("Session_id", "c"+number)
	ask(t, p, header, another.Replace(conversationRequest))
	report(t, p, another.Replace(conversationReports), `{"accepted":4,"rejected":0,"errors":[]}`)
}

// ask asks a model of [newModel] through p and wants its answer to the byte.
func ask(t *testing.T, p *proxy, header http.Header, request string) {
	t.Helper()
	status, body := do(t.Context(), t, http.MethodPost, p.url+"/v1/responses", header, request)
	if status != http.StatusOK {
		t.Errorf("POST /v1/responses = %d; want 200: %s", status, body)
	}
	if diff := cmp.Diff(string(responsestest.SSE(conversationStream()...)), body); diff != "" {
		t.Errorf("forwarded stream differs (-want +got):\n%s", diff)
	}
}

// report reports the items in lines and wants the answer.
func report(t *testing.T, p *proxy, lines, want string) {
	t.Helper()
	header := http.Header{"Content-Type": {"application/x-ndjson"}}
	status, body := do(t.Context(), t, http.MethodPost, p.url+"/codex-proxy/v1/events", header, lines)
	// Whether it is on disk depends on the exporter and on the state directory.
	body = strings.NewReplacer(`"durable":true,`, "", `"durable":false,`, "").Replace(body)
	if status != http.StatusAccepted || body != want+"\n" {
		t.Fatalf("POST /codex-proxy/v1/events = %d %s; want 202 %s", status, body, want)
	}
}
