package session_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
)

// run is a run of a real Codex: what it sent, what it got back, and what it
// exported itself. Each request has only the items that the one before had not.
type run struct {
	Codex    string
	Requests []struct {
		At      int64 // milliseconds
		Headers map[string]string
		Keep    int // items that the request before had, too
		Body    map[string]any
		Output  []json.RawMessage
	}
	Native []map[string]any
}

func readRun(t *testing.T, path string) *run {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := new(run)
	if err := json.Unmarshal(data, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// replay shows the run to a tracker and returns what the codex schema tells of it.
func (r *run) replay(t *testing.T, tracker *session.Tracker) []map[string]any {
	t.Helper()
	var told []map[string]any
	encoder := &events.Encoder{Schema: events.SchemaCodex}
	var history []any
	for i, request := range r.Requests {
		input, _ := request.Body["input"].([]any)
		history = append(history[:request.Keep:request.Keep], input...)
		request.Body["input"] = history
		body, err := json.Marshal(request.Body)
		if err != nil {
			t.Fatal(err)
		}
		at := time.UnixMilli(request.At)
		exchange := begin(tracker, "exchange-"+strconv.Itoa(i), request.Headers, body, at)
		for _, record := range exchange.Records() {
			encoder.Expand(record, func(record events.Record) {
				told = append(told, plain(encoder.Attributes(nil, record)))
			})
		}
		for _, raw := range request.Output {
			item := responses.ParseItem(raw)
			exchange.Item(&item, at.Add(5*time.Millisecond))
		}
	}
	return told
}

// begin shows a request to a tracker.
func begin(tracker *session.Tracker, id string, header map[string]string, body []byte, at time.Time) *session.Exchange {
	return beginLate(nil, tracker, id, header, body, at)
}

func beginLate(
	late events.Recorder, tracker *session.Tracker, id string, header map[string]string, body []byte, at time.Time,
) *session.Exchange {
	inspector := responses.NewInspector(responses.InspectorConfig{Items: true, InFlight: tracker.InFlight})
	for chunk := range slices.Chunk(body, 16<<10) {
		inspector.Write(chunk)
	}
	var pairs []string
	for name, value := range header {
		pairs = append(pairs, name, value)
	}
	arrival := &session.Arrival{
		Header: headers(pairs...), Endpoint: responses.EndpointOf("POST", "/responses"), Request: inspector.Request(),
		ExchangeID: id, Auth: 1, At: at, Late: late,
	}
	if inspector.Done() {
		arrival.Input = inspector.Input()
	}
	return tracker.Begin(arrival)
}

func plain(attrs []attribute.KeyValue) map[string]any {
	values := map[string]any{}
	for _, attr := range attrs {
		switch attr.Value.Type() {
		case attribute.INT64:
			values[string(attr.Key)] = strconv.FormatInt(attr.Value.AsInt64(), 10)
		case attribute.BOOL:
			values[string(attr.Key)] = attr.Value.AsBool()
		default:
			values[string(attr.Key)] = attr.Value.AsString()
		}
	}
	return values
}

// TestReplayEqualsNative replays runs of real releases and holds what the
// traffic tells against what they exported: the same events, each once, with
// the same attributes.
func TestReplayEqualsNative(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no runs: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			r := readRun(t, path)
			tracker := session.New(session.Config{Started: time.UnixMilli(r.Requests[0].At).Add(-time.Minute)})
			got := keyed(r.replay(t, tracker))
			want := keyed(r.Native)
			if len(want) == 0 {
				t.Skip("the run failed, and Codex exports nothing then")
			}
			r.leaveOut(want, got)
			for key := range want {
				adjust(r, want[key], got[key])
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("events (-Codex +wire):\n%s", diff)
			}
		})
	}
}

// codexOwn are the attributes of Codex that are compared. What the proxy adds is
// not.
var codexOwn = []string{
	"event.name", "conversation.id", "app.version", "auth_mode", "originator", "model", "slug",
	"provider_name", "reasoning_effort", "reasoning_summary", "context_window", "max_output_tokens", "auto_compact_token_limit",
	"approval_policy", "sandbox_policy", "mcp_servers", "active_profile", "prompt", "prompt_length",
	"tool_name", "tool_namespace", "call_id", "decision", "source", "arguments", "duration_ms", "success", "output",
	"output_truncated", "mcp_server", "mcp_server_origin", "agent_name", "tool_result_seq",
}

// keyed keys events by what identifies them. Codex tells the start of a
// conversation again when it is resumed.
func keyed(list []map[string]any) map[string]map[string]any {
	byKey := map[string]map[string]any{}
	prompts := map[any]int{}
	for _, attrs := range list {
		name := attrs["event.name"]
		key := fmt.Sprint(name, " ", attrs["conversation.id"], " ", cmp.Or(attrs["call_id"], any("")))
		if name == "codex.user_prompt" {
			key += strconv.Itoa(prompts[attrs["conversation.id"]])
			prompts[attrs["conversation.id"]]++
		}
		for name := range attrs {
			if !slices.Contains(codexOwn, name) {
				delete(attrs, name)
			}
		}
		byKey[key] = attrs
	}
	return byKey
}

// leaveOut drops the events that no traffic can show: those of threads that
// asked no model, and the approval of calls that were interrupted.
func (r *run) leaveOut(want, got map[string]map[string]any) {
	asked := map[any]bool{}
	for _, attrs := range got {
		asked[attrs["conversation.id"]] = true
	}
	for key, attrs := range want {
		interrupted := attrs["event.name"] == "codex.tool_decision" && attrs["call_id"] == "d_other"
		if !asked[attrs["conversation.id"]] || interrupted {
			delete(want, key)
		}
	}
}

// adjust leaves out of both what no traffic can tell.
func adjust(r *run, want, got map[string]any) {
	if want == nil || got == nil {
		return
	}
	both := func(key string) { delete(want, key); delete(got, key) }
	switch want["event.name"] {
	case "codex.conversation_starts":
		for _, key := range []string{"provider_name", "context_window", "max_output_tokens", "auto_compact_token_limit"} {
			both(key)
		}
		for _, key := range []string{"approval_policy", "sandbox_policy", "mcp_servers"} {
			if got[key] == nil && (key == "mcp_servers" || r.leftOut()) {
				both(key) // A search hides the tools; some captures have no developer messages.
			}
		}
		if got["reasoning_summary"] == nil {
			both("reasoning_summary") // The request has no reasoning at all.
		}
	case "codex.tool_decision":
		if got["source"] == nil {
			both("source")
			want["decision"] = strings.TrimSuffix(strings.TrimSuffix(want["decision"].(string), "forsession"), "_for_session")
		}
	case "codex.tool_result":
		both("tool_result_seq")
		if got["agent_name"] == nil {
			both("agent_name")
		}
		adjustDuration(want, got)
		if want["mcp_server"] != "" {
			both("mcp_server_origin")
		}
		output := fmt.Sprint(want["output"])
		if strings.HasPrefix(output, "Ok(CallToolResult ") {
			both("output") // Rust's own words for what it got.
		}
		if strings.HasPrefix(output, "unsupported call: mcp__") {
			both("mcp_server") // For a time Codex told the server that the name would have.
		}
		if strings.Contains(output, "it failed") {
			both("success") // The server says so to the agent alone.
		}
	}
}

// leftOut reports a capture without its developer messages.
func (r *run) leftOut() bool {
	raw, _ := json.Marshal(r.Requests)
	return !strings.Contains(string(raw), "permissions instructions") && !strings.Contains(string(raw), "approval_policy")
}

// adjustDuration takes two durations for equal that differ by what the text of
// the output leaves out: its digits, and the time until the agent asks again.
func adjustDuration(want, got map[string]any) {
	a, errA := strconv.Atoi(fmt.Sprint(want["duration_ms"]))
	b, errB := strconv.Atoi(fmt.Sprint(got["duration_ms"]))
	if errA == nil && errB == nil && max(a-b, b-a) <= 300 {
		got["duration_ms"] = want["duration_ms"]
	}
}
