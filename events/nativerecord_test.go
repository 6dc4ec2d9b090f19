package events

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// native is a log record that a real Codex exported over OTLP/JSON, where an
// int is a string; types has the OTLP type of each attribute. The shapes of
// codex.sse_event are those of a plain event (A), a failed one (B), a broken
// stream (C), the tokens of a completion (D) and a stream without one (E).
type native struct {
	Release  string
	Shape    string
	Scenario string
	Attrs    map[string]any
	Types    map[string]string
}

func (n native) text(key string) string {
	s, _ := n.Attrs[key].(string)
	return s
}

func (n native) opt(key string) Opt[string] {
	s, ok := n.Attrs[key].(string)
	return Opt[string]{Value: s, Set: ok}
}

func (n native) num(key string) int64 { return n.optNum(key).Value }

func (n native) optNum(key string) Opt[int64] {
	i, err := strconv.ParseInt(n.text(key), 10, 64)
	return Opt[int64]{Value: i, Set: err == nil}
}

func (n native) optBool(key string) Opt[bool] {
	b, ok := n.Attrs[key].(bool)
	return Opt[bool]{Value: b, Set: ok}
}

// record returns what the proxy observes where Codex wrote n: typed values, the
// documented spelling, and everything that only the proxy knows. What the
// release never told is set as well, since the traffic shows it all the same.
func (n native) record(t *testing.T) Record {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, n.text("event.timestamp"))
	if err != nil {
		t.Fatal(err)
	}
	return Record{
		Scope: &Scope{
			ConversationID: n.text("conversation.id"),
			AppVersion:     n.text("app.version"),
			AuthMode:       n.text("auth_mode"),
			Originator:     "codex_exec",
			TerminalType:   n.text("terminal.type"),
			Model:          n.text("model"),
			Slug:           n.text("slug"),
			TurnID:         "turn",
			ResponseID:     "resp_1",
			RequestID:      "req_0",
			Resource:       &Resource{ServiceName: "codex-cli", ServiceVersion: n.Release},
			Profile:        CodexProfile(n.Release),
		},
		Event: n.event(t),
		Time:  at,
		ID:    ID(n.Release, n.Shape),
	}
}

func (n native) event(t *testing.T) Event {
	t.Helper()
	switch n.text("event.name") {
	case NameConversationStarts:
		return &ConversationStarts{
			ProviderName:          n.opt("provider_name"),
			ReasoningEffort:       n.opt("reasoning_effort"),
			ReasoningSummary:      n.opt("reasoning_summary"),
			ContextWindow:         n.optNum("context_window"),
			MaxOutputTokens:       n.optNum("max_output_tokens"),
			AutoCompactTokenLimit: n.optNum("auto_compact_token_limit"),
			ApprovalPolicy:        n.opt("approval_policy"),
			SandboxPolicy:         n.opt("sandbox_policy"),
			MCPServers:            n.opt("mcp_servers"),
			ActiveProfile:         n.opt("active_profile"),
		}
	case NameUserPrompt:
		return &UserPrompt{Length: n.num("prompt_length"), Prompt: Some(n.text("prompt"))}
	case NameAPIRequest:
		return n.request()
	case NameSSEEvent:
		return n.sse()
	case NameWebSocketConnect:
		return &WebSocketConnect{
			DurationMS: n.num("duration_ms"), StatusCode: Int64(101), Success: n.text("success") == "true", CFRay: "8f0abc-SJC",
			HeaderSent: Some(true), HeaderName: n.text("auth.header_name"), AfterUnauth: Some(false), Endpoint: n.text("endpoint"),
			Reused: n.optBool("auth.connection_reused"), Reauth: n.optBool("auth.reauth"),
		}
	case NameWebSocketRequest:
		return &WebSocketRequest{
			DurationMS: n.num("duration_ms"), Success: n.text("success") == "true", Reused: n.optBool("auth.connection_reused"),
			Warmup: Some(false), RequestBytes: Int64(45353),
		}
	case NameWebSocketEvent:
		return &WebSocketEvent{
			Kind: n.text("event.kind"), DurationMS: n.num("duration_ms"), Success: n.text("success") == "true", ErrorMessage: n.text("error.message"),
		}
	case NameToolDecision:
		return &ToolDecision{
			ToolName: n.text("tool_name"),
			CallID:   n.text("call_id"),
			Decision: n.text("decision"),
			Decider:  Some(strings.ToLower(n.text("source"))),
		}
	case NameToolResult:
		return &ToolResult{
			ToolName:   n.text("tool_name"),
			CallID:     n.opt("call_id"),
			Arguments:  n.opt("arguments"),
			DurationMS: n.optNum("duration_ms"),
			Success:    n.text("success") == "true",
			Output:     n.opt("output"),
			MCPServer:  Some(""),
			MCPOrigin:  Some(""),
			AgentName:  n.opt("agent_name"),
		}
	default:
		t.Fatalf("unknown event %q", n.text("event.name"))
		return nil
	}
}

func (n native) request() *APIRequest {
	event := &APIRequest{
		DurationMS:   n.num("duration_ms"),
		StatusCode:   n.optNum("http.response.status_code"),
		Attempt:      n.num("attempt"),
		CFRay:        "8f0abc-SJC",
		Endpoint:     "/responses",
		HeaderSent:   Some(true),
		HeaderName:   "authorization",
		AfterUnauth:  Some(false),
		Method:       "POST",
		RequestBytes: Int64(45353),
	}
	if event.StatusCode.Value != 200 {
		event.ErrorMessage = "http " + n.text("http.response.status_code")
		event.ErrRequestID, event.ErrCFRay = "req_0", "8f0abc-SJC"
	}
	return event
}

func (n native) sse() *SSEEvent {
	event := &SSEEvent{Kind: n.opt("event.kind"), DurationMS: n.optNum("duration_ms"), ErrorMessage: n.text("error.message")}
	if event.Kind.Value != "response.completed" {
		return event
	}
	event.StreamEvents, event.StreamDeltas, event.StreamBytes, event.EndedBy = Int64(6), Int64(1), Int64(1400), "completed"
	if event.ErrorMessage != "" {
		return event
	}
	// One observation stands for both records of a completion.
	event.Usage = &Usage{Input: 1200, Output: 42, Cached: Int64(1024), Reasoning: Int64(10), Total: 1242}
	event.TTFTMS = n.optNum("ttft_ms")
	if n.Shape != "D-websocket" {
		event.DurationMS = Some(n.num("duration_ms"))
	}
	if !event.TTFTMS.Set {
		event.TTFTMS = Int64(23)
	}
	return event
}
