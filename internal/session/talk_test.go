package session_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
)

// talk sends requests to a tracker, a second apart.
type talk struct {
	t       *testing.T
	tracker *session.Tracker
	now     time.Time
	n       int
}

func newTalk(t *testing.T) *talk {
	t.Helper()
	return &talk{t: t, tracker: session.New(session.Config{}), now: time.Unix(1000, 0)}
}

// restart forgets everything, as a new process does.
func (k *talk) restart() { k.tracker = session.New(session.Config{}) }

// told is what a request told, and its exchange for the response.
type told struct {
	*session.Exchange
	at      time.Time
	records []events.Record
}

// journal keeps what is told late.
type journal []events.Record

func (j *journal) Record(r events.Record) { *j = append(*j, r) }

// codex sends a request as Codex 0.125 does, in a conversation.
func (k *talk) codex(conversation string, items ...string) told {
	k.t.Helper()
	return k.send(codexAgent("0.125.0", conversation), body("", items...))
}

func codexAgent(version, conversation string) map[string]string {
	return map[string]string{"user-agent": "codex_exec/" + version + " (Debian 12.0.0; x86_64) xterm", "session_id": conversation}
}

func body(previous string, items ...string) string {
	if previous != "" {
		previous = `"previous_response_id":"` + previous + `",`
	}
	return `{"model":"m",` + previous + `"input":[` + strings.Join(items, ",") + `],"stream":true}`
}

func (k *talk) send(header map[string]string, body string) told {
	k.t.Helper()
	return k.sendLate(nil, header, body)
}

func (k *talk) sendLate(late events.Recorder, header map[string]string, body string) told {
	k.t.Helper()
	k.n++
	k.now = k.now.Add(time.Second)
	exchange := beginLate(late, k.tracker, fmt.Sprint("exchange-", k.n), header, []byte(body), k.now)
	return told{exchange, k.now, exchange.Records()}
}

// wants compares what a request told with lines such as "prompt hi".
func (x told) wants(t *testing.T, lines ...string) told {
	t.Helper()
	got := []string{}
	for _, r := range x.records {
		switch event := r.Event.(type) {
		case *events.ConversationStarts:
			got = append(got, "starts")
		case *events.UserPrompt:
			got = append(got, "prompt "+event.Prompt.Value)
		case *events.ToolDecision:
			got = append(got, strings.TrimSpace("decision "+event.CallID+" "+event.Decision+" "+event.Decider.Value))
		case *events.ToolResult:
			got = append(got, fmt.Sprintf("result %s %s %t", event.CallID.Value, event.ToolName, event.Success))
		}
		if r.Source != events.SourceWire || r.Scope == nil || r.ID == "" {
			t.Errorf("record %+v; want one of the wire with a scope and an id", r)
		}
	}
	if diff := cmp.Diff(append([]string{}, lines...), got); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	return x
}

// answers gives the response of a request, with the items it produces.
func (x told) answers(items ...string) {
	for _, raw := range items {
		item := responses.ParseItem([]byte(raw))
		x.Item(&item, x.at.Add(100*time.Millisecond))
	}
}

func says(text string) string {
	return `{"type":"message","role":"user","content":[{"type":"input_text","text":` + quoted(text) + `}]}`
}

func replies(text string) string {
	return `{"type":"message","role":"assistant","content":[{"type":"output_text","text":` + quoted(text) + `}]}`
}

func calls(id string) string {
	return `{"type":"function_call","name":"shell","arguments":"{\"command\":[\"ls\"]}","call_id":"` + id + `"}`
}

const ran = "Exit code: 0\nWall time: 0.2 seconds\nOutput:\nok\n"

func gives(id, output string) string {
	return `{"type":"function_call_output","call_id":"` + id + `","output":` + quoted(output) + `}`
}

func quoted(text string) string {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

const (
	setting = `{"type":"message","role":"user","content":[{"type":"input_text","text":"<environment_context>\n<approval_policy>never</approval_policy><sandbox_mode>read-only</sandbox_mode>\n</environment_context>"}]}`
	summary = `{"type":"message","role":"user","content":[{"type":"input_text","text":"Another language model started to solve this problem and produced a summary of its thinking process. x"}]}`
	compact = `{"type":"message","role":"user","content":[{"type":"input_text","text":"You are performing a CONTEXT CHECKPOINT COMPACTION. Create"}]}`
)
