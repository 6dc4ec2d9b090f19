package responses_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// messageLines renders the messages told of: kind, wait, whether it is a success, error.
func (j *journal) messageLines() []string {
	var lines []string
	for _, r := range *j {
		if e, ok := r.Event.(*events.WebSocketEvent); ok {
			lines = append(lines, fmt.Sprintf("%s|%d|%t|%s", e.Kind, e.DurationMS, e.Success, e.ErrorMessage))
		}
	}
	return lines
}

// socketTurn returns a Turn for a response over a WebSocket.
func socketTurn(records events.Recorder, version string, detail responses.Detail, messages bool) *responses.Turn {
	return responses.NewTurn(responses.TurnConfig{
		Recorder: records, Scope: &events.Scope{Profile: events.CodexProfile(version)}, ExchangeID: "x", Start: start, Detail: detail,
		Endpoint: responses.EndpointOf("POST", "/responses"), WebSocket: true, Messages: messages,
	})
}

// What Codex 0.121 and 0.141 told of these messages.
func TestTurnTellsMessages(t *testing.T) {
	tests := []struct{ data, want string }{
		{`{"type":"response.created","response":{"id":"r1"}}`, "response.created|10|true|"},
		{`{"type":"response.output_text.delta"}`, "response.output_text.delta|10|true|"},
		{`{"type":7}`, "unknown|10|true|"},
		{`{"type":null}`, "unknown|10|true|"},
		{`{}`, "unknown|10|true|"},
		{`[{"type":"x"}]`, "unknown|10|true|"},
		{`"response.created"`, "unknown|10|true|"},
		{` {"a":1, "type":"spaced" } `, "spaced|10|true|"},
		{`{"type":"two","type":"types"}`, "types|10|true|"},
		{`{"type":""}`, "|10|true|"},
		{`{"type":"caf\u00e9"}`, "café|10|true|"},
		{`{"type":"codex.rate_limits"}`, "codex.rate_limits|10|true|"},
		{`{"type":"error"}`, "error|10|true|"},
		{`{"type":"a`, "parse_error|10|false|EOF while parsing a string at line 1 column 10"},
		{`nonsense`, "parse_error|10|false|expected ident at line 1 column 2"},
		{`{"type":"a"} {}`, "parse_error|10|false|trailing characters at line 1 column 14"},
		{` `, "parse_error|10|false|EOF while parsing a value at line 1 column 1"},
		{``, "parse_error|10|false|EOF while parsing a value at line 1 column 0"},
		{`{"type":"response.failed","response":null}`, "response.failed|10|false|response.failed event received"},
		{`{"type":"response.failed","response":{"error":null}}`, "response.failed|10|false|null"},
		{
			`{"type":"response.failed","response":{"id":"r1","error":{"message":"we \u00e9 failed", "code":"server_error","n":1.50,"code":"other"}}}`,
			`response.failed|10|false|{"message":"we é failed","code":"other","n":1.50}`,
		},
		{`{"type":"response.incomplete","response":{"id":"r1"}}`, "response.incomplete|10|true|"},
		{`{"type":"response.completed","response":{"id":"r1"}}`, "response.completed|10|true|"},
	}
	for _, test := range tests {
		records := &journal{}
		socketTurn(records, "0.141.0", responses.DetailAll, true).Message([]byte(test.data), nil, start.Add(10*time.Millisecond))
		if diff := cmp.Diff([]string{test.want}, records.messageLines()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.data, diff)
		}
		if name := (*records)[0].Event.EventName(); name != events.NameWebSocketEvent {
			t.Errorf("%s: %s is told first; want the message", test.data, name)
		}
	}
}

// A message that is no UTF-8 is an error of the connection for Codex.
func TestTurnTellsNoMessageOfBytes(t *testing.T) {
	records := &journal{}
	socketTurn(records, "0.141.0", responses.DetailAll, true).Message([]byte("{\"type\":\"a\xff\"}"), nil, start)
	if got := records.messageLines(); got != nil {
		t.Errorf("told %q; want nothing", got)
	}
}

// Only the beginning of a large message is looked at.
func TestTurnTellsMessagesInPart(t *testing.T) {
	records := &journal{}
	turn := socketTurn(records, "0.141.0", responses.DetailAll, true)
	turn.Message([]byte(`{"type":"response.output_text.done","text":"`+strings.Repeat("x", 99)), []byte(`x"}`), start)
	turn.Message([]byte(`{"type":"response.failed","response":{"error":{"message":"x`), []byte(`x"}}}`), start)
	want := []string{"response.output_text.done|0|true|", "response.failed|0|false|response.failed event received"}
	if diff := cmp.Diff(want, records.messageLines()); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// What came before the request has been waited for since the request.
func TestTurnTimesMessages(t *testing.T) {
	records := &journal{}
	turn := socketTurn(records, "0.141.0", responses.DetailLifecycle, true)
	turn.Message([]byte(`{"type":"keepalive"}`), nil, start.Add(-time.Second))
	turn.Message([]byte(`{"type":"a.delta"}`), nil, start.Add(30*time.Millisecond))
	turn.Message([]byte(`{"type":"b"}`), nil, start.Add(50*time.Millisecond))
	turn.End(responses.Ending{By: "upstream", Err: errors.New("reset"), At: start.Add(70 * time.Millisecond)})
	want := []string{
		"keepalive|0|true|", "b|20|true|", "unknown|20|false|WebSocket protocol error: Connection reset without closing handshake",
	}
	if diff := cmp.Diff(want, records.messageLines()); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	ids := map[string]bool{}
	for _, r := range *records {
		if ids[r.ID] {
			t.Errorf("id %q comes twice", r.ID)
		}
		ids[r.ID] = true
		if r.Time.Before(start) {
			t.Errorf("time %v; want none before the request", r.Time)
		}
	}
}

func TestTurnTellsMessagesOfSomeReleases(t *testing.T) {
	const failed = `{"type":"response.failed","response":{"error":{"code":"x"}}}`
	tests := []struct {
		version  string
		detail   responses.Detail
		messages bool
		want     []string
	}{
		{"0.141.0", responses.DetailCompleted, true, []string{`response.failed|0|false|{"code":"x"}`}},
		{"0.141.0", responses.DetailAll, false, nil},
		{"0.142.0", responses.DetailAll, true, nil},
		{"dev", responses.DetailAll, true, nil},
	}
	for _, test := range tests {
		records := &journal{}
		turn := socketTurn(records, test.version, test.detail, test.messages)
		turn.Message([]byte(`{"type":"a"}`), nil, start)
		turn.Message([]byte(failed), nil, start)
		if diff := cmp.Diff(test.want, records.messageLines()); diff != "" {
			t.Errorf("%s, detail %d, %t (-want +got):\n%s", test.version, test.detail, test.messages, diff)
		}
		if len(records.lines()) != 1 {
			t.Errorf("%s told %q; want the failure once", test.version, records.lines())
		}
	}
	records := &journal{}
	turn := socketTurn(records, "0.141.0", responses.DetailAll, true)
	turn.End(responses.Ending{By: "client", At: start})
	if got := records.messageLines(); got != nil {
		t.Errorf("of an agent that left it told %q; want nothing", got)
	}
}
