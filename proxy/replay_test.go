package proxy_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// capture is a run of a real Codex: what it sent, over HTTP or as the messages of
// WebSockets, and what it exported. The long texts are left out.
type capture struct {
	Codex, Scenario string
	Requests        []struct {
		Upgrade bool
		Headers map[string]string
		Body    json.RawMessage
	}
	Native []map[string]any
}

// line renders what is compared of an event, "" for one that is not.
func line(attrs map[string]any) string {
	text := func(keys ...string) string {
		parts := []string{strings.TrimPrefix(fmt.Sprint(attrs["event.name"]), "codex.")}
		for _, key := range append([]string{"conversation.id", "model"}, keys...) {
			parts = append(parts, fmt.Sprint(attrs[key]))
		}
		return strings.Join(parts, " ")
	}
	switch attrs["event.name"] {
	case events.NameUserPrompt:
		return text("prompt_length")
	case events.NameToolDecision:
		return text("call_id", "tool_name", "decision")
	case events.NameToolResult:
		return text("call_id", "tool_name", "success", "arguments")
	case events.NameAPIRequest:
		return text("http.response.status_code")
	case events.NameSSEEvent:
		if attrs["input_token_count"] == nil {
			return ""
		}
		return text("event.kind", "input_token_count")
	default:
		return text()
	}
}

// calls returns the items that answer request i with what the next one brings
// the outputs of.
func (c *capture) calls(i int) []responsestest.Event {
	known := map[string]bool{}
	for _, request := range c.Requests[:i+1] {
		for _, id := range gjson.GetBytes(request.Body, "input.#.call_id").Array() {
			known[id.Str] = true
		}
	}
	if i+1 == len(c.Requests) {
		return nil
	}
	var list []responsestest.Event
	for _, output := range gjson.GetBytes(c.Requests[i+1].Body, `input.#(output)#`).Array() {
		id := output.Get("call_id").Str
		if known[id] {
			continue
		}
		call := gjson.GetBytes(c.Requests[i+1].Body, `input.#(call_id=="`+id+`")`)
		if call.Get("output").Exists() {
			call = gjson.Parse(c.called(id, output.Get("type").Str))
		}
		list = append(list, responsestest.Event{
			Name: "response.output_item.done", Data: `{"type":"response.output_item.done","output_index":0,"item":` + call.Raw + `}`,
		})
	}
	return list
}

// called returns the call of which Codex told the result: over WebSocket the
// history is not sent again.
func (c *capture) called(id, output string) string {
	for _, attrs := range c.Native {
		if attrs["event.name"] != events.NameToolResult || attrs["call_id"] != id {
			continue
		}
		key := "arguments"
		if output == "custom_tool_call_output" {
			key = "input"
		}
		item, err := json.Marshal(map[string]any{
			"type": strings.TrimSuffix(output, "_output"), "call_id": id, "name": attrs["tool_name"], key: attrs["arguments"],
		})
		if err == nil {
			return string(item)
		}
	}
	return "{}"
}

// answers returns what the upstream said to each request that is one.
func (c *capture) answers() []responsestest.Response {
	var statuses, tokens []int
	for _, attrs := range c.Native {
		switch attrs["event.name"] {
		case events.NameAPIRequest:
			status, _ := strconv.Atoi(fmt.Sprint(attrs["http.response.status_code"]))
			statuses = append(statuses, status)
		case events.NameSSEEvent:
			if input, _ := strconv.Atoi(fmt.Sprint(attrs["input_token_count"])); input > 0 { // and not a warm-up
				tokens = append(tokens, input)
			}
		}
	}
	refusal := map[string]int{"limit": http.StatusTooManyRequests, "unauth": http.StatusUnauthorized}[c.Scenario]
	var list []responsestest.Response
	for i, request := range c.Requests {
		if request.Upgrade || gjson.GetBytes(request.Body, "generate").Type == gjson.False {
			continue // Answered by itself.
		}
		status := refusal
		if len(list) < len(statuses) {
			status = statuses[len(list)]
		}
		stream := append([]responsestest.Event{responsestest.Created(fmt.Sprint("r", i))}, c.calls(i)...)
		switch {
		case status > 299:
			list = append(list, responsestest.Error(status, "error", "", "no"))
		case c.Scenario == "failed" && len(list) == 0:
			list = append(list, responsestest.Stream(append(stream, responsestest.Failed("r", "server_error", "no"))...))
		case c.Scenario == "trunc" && len(list) == 0:
			list = append(list, responsestest.Response{Events: stream, Abort: responsestest.AbortStream})
		default:
			usage := responsestest.Usage{Input: int64(tokens[0])}
			tokens = tokens[1:]
			list = append(list, responsestest.Stream(append(stream, responsestest.CompletedWithTokens(fmt.Sprint("r", i), usage))...))
		}
	}
	return list
}

// send plays the requests through a proxy.
func (c *capture) send(t *testing.T, url string) {
	t.Helper()
	var conn *websocket.Conn
	for _, request := range c.Requests {
		header := make(http.Header)
		for name, value := range request.Headers {
			header.Set(name, value)
		}
		switch {
		case request.Upgrade:
			if conn != nil {
				conn.CloseNow()
			}
			var err error
			if conn, _, err = websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: header, CompressionMode: websocket.CompressionContextTakeover}); err != nil {
				t.Fatal(err)
			}
			conn.SetReadLimit(1 << 20)
		case request.Headers != nil:
			_, _ = io.Copy(io.Discard, post(t, url, string(request.Body), header).Body)
		default:
			if err := conn.Write(t.Context(), websocket.MessageText, request.Body); err != nil {
				t.Fatal(err)
			}
			for over := false; !over; {
				_, message, err := conn.Read(t.Context())
				over = err != nil || slices.Contains([]string{"response.completed", "response.failed", "error"}, gjson.GetBytes(message, "type").Str)
			}
		}
	}
	if conn != nil {
		conn.CloseNow()
	}
}

// TestReplayThroughTheProxy plays runs of real releases through a proxy, over HTTP
// and WebSocket, and holds what it tells against what they exported.
func TestReplayThroughTheProxy(t *testing.T) {
	paths, err := filepath.Glob("testdata/captures/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var c capture
			if err := json.Unmarshal(data, &c); err != nil {
				t.Fatal(err)
			}
			upstream, err := responsestest.Start(responsestest.Options{TB: t, WebSocket: responsestest.WebSocketDeflate})
			if err != nil {
				t.Fatal(err)
			}
			upstream.Sequence(c.answers()...)
			server, handler, records, _ := startLogged(t, upstream.BaseURL())
			c.send(t, server.URL+"/v1/responses")
			server.Close()
			if err := handler.Idle(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, want := []string{}, []string{}
			encoder := &events.Encoder{Schema: events.SchemaCodex}
			for _, record := range records.all() {
				encoder.Expand(record, func(record events.Record) {
					attrs := map[string]any{}
					for _, attr := range encoder.Attributes(nil, record) {
						attrs[string(attr.Key)] = attr.Value.AsInterface()
					}
					if told := line(attrs); told != "" {
						got = append(got, told)
					}
				})
			}
			for _, attrs := range c.Native {
				want = append(want, line(attrs))
			}
			if c.Scenario == "limit" || c.Scenario == "unauth" {
				// A run that fails may lose the last of its telemetry, or all of it.
				got = slices.DeleteFunc(got, func(told string) bool { return !slices.Contains(want, told) })
				got = got[:min(len(got), len(want))]
			}
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("events (-Codex +proxy):\n%s", diff)
			}
		})
	}
}
