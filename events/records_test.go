package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// exampleRecords are the records of the reference page: one short turn.
func exampleRecords() map[string]Record {
	at := time.Date(2026, 8, 19, 12, 30, 1, 234000000, time.UTC)
	conversation := Scope{
		ConversationID: "01a203a4-1e99-7870-808c-4b22d45b183c",
		AppVersion:     "0.125.0",
		AuthMode:       "ApiKey",
		Originator:     "codex_exec",
		TerminalType:   "xterm",
		Model:          "gpt-5-codex",
		Slug:           "gpt-5-codex",
		Resource:       &Resource{ServiceName: "codex-cli", ServiceVersion: "0.125.0", Environment: "staging"},
		Profile:        CodexProfile("0.125.0"),
	}
	exchange := conversation
	exchange.TurnID = "01a203a4-432a-74f0-bb03-874c7862bffc"
	exchange.ResponseID = "resp_68d1"
	exchange.RequestID = "req_5c2e"

	examples := map[string]Event{
		NameConversationStarts: &ConversationStarts{
			ReasoningEffort:  Some("medium"),
			ReasoningSummary: Some("auto"),
			ApprovalPolicy:   Some("never"),
			SandboxPolicy:    Some("read-only"),
			MCPServers:       Some(""),
		},
		NameUserPrompt: &UserPrompt{Length: 24, Prompt: Some(Redacted)},
		NameAPIRequest: &APIRequest{
			DurationMS: 412, StatusCode: Int64(200), CFRay: "8f0abc-SJC", Endpoint: "/responses",
			HeaderSent: Some(true), HeaderName: "authorization", AfterUnauth: Some(false),
			Method: "POST", RequestBytes: Int64(45353),
		},
		NameSSEEvent: &SSEEvent{
			Kind: Some("response.completed"), DurationMS: Int64(3),
			Usage:  &Usage{Input: 1200, Output: 42, Cached: Int64(1024), Reasoning: Int64(10), Total: 1242},
			TTFTMS: Int64(23), ReasoningEffort: "medium",
			EndedBy: "completed", StreamEvents: Int64(6), StreamDeltas: Int64(1),
		},
		NameWebSocketConnect: &WebSocketConnect{
			DurationMS: 86, StatusCode: Int64(101), Success: true, CFRay: "8f0abc-SJC", HeaderSent: Some(true), HeaderName: "authorization",
			AfterUnauth: Some(false), Endpoint: "/responses", Reused: Some(false), Reauth: Some(false),
		},
		NameWebSocketRequest: &WebSocketRequest{
			DurationMS: 3, Success: true, Reused: Some(true), Warmup: Some(false), RequestBytes: Int64(45353),
		},
		NameWebSocketEvent: &WebSocketEvent{Kind: "response.output_text.delta", DurationMS: 12, Success: true},
		NameToolDecision:   &ToolDecision{ToolName: "shell", CallID: "call_1", Decision: DecisionApprovedForSession, Decider: Some(DecidedByUser)},
		NameToolResult: &ToolResult{
			ToolName: "shell", CallID: Some("call_1"), Arguments: Some(`{"command":["bash","-lc","false"]}`),
			DurationMS: Int64(57), Output: Some("Exit code: 1\nWall time: 0 seconds\nOutput:\n"), MCPServer: Some(""), MCPOrigin: Some(""),
		},
	}
	records := make(map[string]Record, len(examples))
	for name, event := range examples {
		scope := &exchange
		if name == NameConversationStarts || name == NameUserPrompt {
			scope = &conversation
		}
		records[name] = Record{Event: event, Scope: scope, Time: at, ID: ID("example", name)}
	}
	return records
}

// exampleJSON returns what the schema makes of the example of an event, one
// JSON object a record, with the names of the log data model.
func exampleJSON(schema, name string) (string, error) {
	r, ok := exampleRecords()[name]
	if !ok {
		return "", fmt.Errorf("no example for %s", name)
	}
	e := &Encoder{}
	if schema == "codex" {
		e.Schema = SchemaCodex
	}
	var told []string
	var failed error
	e.Expand(r, func(r Record) {
		text, err := recordJSON(e, r)
		if err != nil {
			failed = err
		}
		told = append(told, text)
	})
	return strings.Join(told, "\n"), failed
}

func recordJSON(e *Encoder, r Record) (string, error) {
	fields := []attribute.KeyValue{
		attribute.String("EventName", r.Event.EventName()),
		attribute.String("Timestamp", r.Time.Format(time.RFC3339Nano)),
		attribute.String("ObservedTimestamp", r.Time.Format(time.RFC3339Nano)),
		attribute.String("SeverityText", map[int]string{SeverityInfo: "INFO", SeverityError: "ERROR"}[e.Severity(r)]),
		attribute.Int("SeverityNumber", e.Severity(r)),
	}
	if body := e.Body(r); body != "" {
		fields = append(fields, attribute.String("Body", body))
	}
	head, err := objectJSON(fields)
	if err != nil {
		return "", err
	}
	resource, err := objectJSON(e.ResourceAttributes(r.Scope.Resource))
	if err != nil {
		return "", err
	}
	attrs, err := objectJSON(e.Attributes(nil, r))
	if err != nil {
		return "", err
	}
	record := strings.TrimSuffix(head, "}") + `,"Resource":` + resource + `,"Attributes":` + attrs + "}"
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(record), "", "  "); err != nil {
		return "", err
	}
	return indented.String(), nil
}

// objectJSON returns attributes as a JSON object that keeps their order.
func objectJSON(attrs []attribute.KeyValue) (string, error) {
	var b strings.Builder
	for i, attr := range attrs {
		value, err := json.Marshal(attr.Value.AsInterface())
		if err != nil {
			return "", err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", string(attr.Key), value)
	}
	return "{" + b.String() + "}", nil
}
