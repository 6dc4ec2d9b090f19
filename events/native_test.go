package events

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
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

func readNative(t *testing.T) []native {
	t.Helper()
	data, err := os.ReadFile("testdata/native.json")
	if err != nil {
		t.Fatal(err)
	}
	var records []native
	if err := json.Unmarshal(data, &records); err != nil {
		t.Fatal(err)
	}
	return records
}

// clientOnly are the attributes of Codex that no traffic shows and that the
// catalogue does not have.
var clientOnly = []string{
	"agent_name",
	"auth.env_codex_api_key_enabled",
	"auth.env_codex_api_key_present",
	"auth.env_openai_api_key_present",
	"auth.env_provider_key_name",
	"auth.env_provider_key_present",
	"auth.env_refresh_token_url_override_present",
	"config.legacy_multi_agent_disabled_sources",
	"output_truncated",
	"tool_namespace",
	"tool_result_seq",
}

// proxyOnly are the attributes that Codex does not have: more of them do not
// break a dashboard.
var proxyOnly = []string{
	"cf_ray", "event.id", "http.request.body.size", "http.request.method", "request.id", "response.id",
	"stream.bytes", "stream.deltas", "stream.ended_by", "stream.events", "telemetry.source", "turn.id",
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
		return &UserPrompt{Length: n.num("prompt_length"), Prompt: n.text("prompt")}
	case NameAPIRequest:
		return n.request()
	case NameSSEEvent:
		return n.sse()
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

// told returns the record that the codex schema makes in the place of n.
func (n native) told(t *testing.T) []attribute.KeyValue {
	t.Helper()
	told := encode(&Encoder{Schema: SchemaCodex}, n.record(t))
	i := 0
	if n.Shape == "D" {
		i = 1
	}
	if len(told) <= i {
		t.Fatalf("Expand() yields %d records; want more than %d", len(told), i)
	}
	return told[i]
}

// The codex schema writes what the real Codex wrote: the same values under the
// same keys with the same types, and no key of Codex's own that it did not write.
func TestCodexSchemaEqualsNative(t *testing.T) {
	for _, n := range readNative(t) {
		t.Run(n.Release+" "+n.Shape, func(t *testing.T) {
			attrs := n.told(t)
			got := values(t, attrs)
			for key, want := range n.Attrs {
				value, ok := got[key]
				switch {
				case slices.Contains(clientOnly, key):
					if ok {
						t.Errorf("%s = %v; want none: no traffic shows it", key, value)
					}
				case !ok:
					t.Errorf("%s is missing; want %v", key, want)
				case asOTLP(value) != want:
					t.Errorf("%s = %v; want %v", key, value, want)
				}
			}
			for _, attr := range attrs {
				key := string(attr.Key)
				if slices.Contains(proxyOnly, key) {
					continue
				}
				if want := n.Types[key]; otlpType(attr.Value) != want {
					t.Errorf("type of %s = %s; want %q", key, otlpType(attr.Value), want)
				}
			}
		})
	}
}

// The typed schema differs from Codex's types where the tags say so and nowhere
// else.
func TestTypedSchemaTypes(t *testing.T) {
	for _, n := range readNative(t) {
		r := n.record(t)
		for _, attr := range encode(&Encoder{}, r)[0] {
			key := string(attr.Key)
			want, ok := n.Types[key]
			if !ok {
				continue
			}
			if codexTextNumbers[key] {
				want = "intValue"
			}
			if got := otlpType(attr.Value); got != want {
				t.Errorf("%s %s: type of %s = %s; want %s", n.Release, n.Shape, key, got, want)
			}
		}
	}
}

// codexTextNumbers are the numbers that Codex writes as strings.
var codexTextNumbers = map[string]bool{
	"duration_ms": true, "prompt_length": true,
	"input_token_count": true, "output_token_count": true, "tool_token_count": true,
}

func asOTLP(v any) any {
	if n, ok := v.(int64); ok {
		return strconv.FormatInt(n, 10)
	}
	return v
}

func otlpType(v attribute.Value) string {
	switch v.Type() {
	case attribute.STRING:
		return "stringValue"
	case attribute.INT64:
		return "intValue"
	case attribute.BOOL:
		return "boolValue"
	default:
		return v.Type().String()
	}
}
