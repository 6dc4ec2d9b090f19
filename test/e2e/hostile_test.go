package e2e_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

const (
	// huge is past what a value and even a batch may have.
	huge = 2 << 20
	// maxValue is the most that is exported of a value.
	maxValue = 512 << 10
	// junk is not UTF-8, has a NUL in it and ends in the middle of a character.
	junk = "ab\xff\xfe\x00\xc3\x28\xed\xa0\x80\xe2\x82"
	// escaped is what JSON can spell and UTF-8 cannot.
	escaped = `\u0000\udfff\ud800\uffff`
)

// hostileStreams are answers that no model gives. Each ends in a failure that tells of what it said.
func hostileStreams() map[string][]responsestest.Event {
	long := strings.Repeat("x€", huge/4)
	failed := func(id, message string) responsestest.Event {
		return responsestest.Raw("event: response.failed\ndata: " + `{"type":"response.failed","response":{"id":"` + id +
			`","error":{"code":"` + message + `","message":"` + message + "\"}}}\n\n")
	}
	return map[string][]responsestest.Event{
		"bytes": {
			responsestest.Raw("event: response." + junk + "\ndata: {\"type\":\"response." + junk + "\"}\n\n"),
			responsestest.Raw("event: response.output_text.delta\ndata: {\"delta\":\"" + junk + "\"}\n\n"),
			failed(junk, junk),
		},
		"escapes": {
			responsestest.Raw("data: {\"type\":\"response." + escaped + "\"}\n\n"),
			failed(escaped, escaped),
		},
		"huge": {
			responsestest.Raw("event: " + long + "\ndata: {}\n\n"),
			responsestest.TextDelta(long),
			failed(long, long),
		},
		"broken": {
			responsestest.Raw("event: response.created\ndata: {\"response\":\n\n"),
			responsestest.Raw("event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":\"many\"," +
				"\"output_tokens\":-1e99}}}\n\n"),
			responsestest.Raw("event: response.completed\ndata: [[[[" + strings.Repeat("[", 100_000) + "\n\n"),
			failed("r", "no"),
			responsestest.Raw("event: response.fai"),
		},
	}
}

// TestHostileTraffic sends and answers what is not text, and wants the traffic untouched and every record at the collector, as
// valid text, at the first try.
func TestHostileTraffic(t *testing.T) {
	for _, way := range ways() {
		for name, stream := range hostileStreams() {
			t.Run(way.name+" "+name, func(t *testing.T) {
				collector := receiver.Start(t, receiver.Options{})
				model := responsestest.NewServer(t)
				answer := responsestest.Stream(stream...)
				answer.Header = http.Header{"Cf-Ray": {"ray\xff"}, "X-Request-Id": {"\xc3\x28"}}
				model.Once(answer)
				p := serve(t, model.BaseURL(), way.table(collector, exporter{}))
				header := agentHeader()
				header.Set("User-Agent", "codex_exec/0.45.0\xff (\xfe; \xc3\x28) x\xed\xa0\x80")
				header.Set("Originator", "caf\xe9")
				header.Set("Conversation_id", "c\xff1")
				request := `{"model":"` + junk + escaped + `","stream":true,"prompt_cache_key":"` + junk + `","reasoning":{"effort":"` + junk + `"}}`
				status, body := do(t.Context(), t, http.MethodPost, p.url+"/v1/responses?q=\xff", header, request)
				if want := string(responsestest.SSE(stream...)); status != http.StatusOK || body != want {
					t.Errorf("POST /v1/responses = %d with %d bytes; want 200 with those of the upstream, %d", status, len(body), len(want))
				}
				if got := string(model.Requests()[0].Body); got != request {
					t.Errorf("upstream got %q; want %q", got, request)
				}
				records := checkAllArrive(t, p, collector)
				if requests := receiver.Named(records, "codex.api_request"); len(requests) != 1 || requests[0].Attrs["originator"] != "caf\uFFFD" {
					t.Errorf("records %q arrived; want one of the request, with its originator mended", names(records))
				}
				streamed := receiver.Named(records, "codex.sse_event")
				last := streamed[len(streamed)-1]
				if message, _ := last.Attrs["error.message"].(string); message == "" || last.Attrs["stream.ended_by"] != "upstream" {
					t.Errorf("the last record is %.300q; want the failure of the stream", last.Attrs)
				}
			})
		}
	}
}

// TestHostileReports reports what is not text, and wants every item that was accepted at the collector.
func TestHostileReports(t *testing.T) {
	long := strings.Repeat("x€", huge/4)
	item := func(name, more string) string {
		return `{"event.name":"` + name + `","conversation.id":"c1",` + more + "}\n"
	}
	lines := item("user_prompt", `"prompt":"`+escaped+`"`) +
		item("user_prompt", `"prompt":"`+long+`"`) +
		item("user_prompt", `"prompt":"ab`+"\xff\xfe"+`"`) + // not JSON, which is UTF-8
		item("tool_result", `"tool_name":"`+escaped+`","call_id":"`+escaped+`","success":true,"output":"`+strings.Repeat(escaped, 10_000)+`"`) +
		item("tool_result", `"tool_name":"shell","call_id":"1","success":true,"arguments":"`+long+`","output":"`+long+`"`) +
		item("tool_decision", `"tool_name":"`+escaped+`","call_id":"`+escaped+`","decision":"approved","source":"user","originator":"`+escaped+`"`) +
		item("conversation_starts", `"mcp_servers":"`+escaped+`","model":"`+escaped+`","app.version":"`+escaped+`"`)
	for _, way := range ways() {
		t.Run(way.name, func(t *testing.T) {
			collector := receiver.Start(t, receiver.Options{})
			p := serve(t, responsestest.NewServer(t).BaseURL(), way.table(collector, exporter{})+
				"log_user_prompt = true\n[report]\nmax_body_bytes = 33554432\nmax_field_bytes = 4194304\n")
			report(t, p, lines, `{"accepted":6,"rejected":1,"errors":[{"item":2,"line":3,"field":"prompt",`+
				`"message":"want UTF-8, got another byte at 3 of the value"}]}`)
			records := checkAllArrive(t, p, collector)
			want := []string{
				"codex.user_prompt", "codex.user_prompt", "codex.tool_result", "codex.tool_result", "codex.tool_decision",
				"codex.conversation_starts",
			}
			if diff := cmp.Diff(want, names(records)); diff != "" {
				t.Fatalf("records (-want +got):\n%s", diff)
			}
			for record, key := range map[int]string{1: "prompt", 3: "output"} {
				text, ok := records[record].Attrs[key].(string)
				if !ok || !strings.HasPrefix(text, "x€x€") || !strings.HasSuffix(text, "… [truncated, 2097152 bytes]") {
					t.Errorf("%s is %d bytes of text; want the first ones, and how many there were", key, len(text))
				}
			}
		})
	}
}

// checkAllArrive ends the proxy and returns the records at the collector: all that were made, at the first try, as valid text.
func checkAllArrive(t *testing.T, p *proxy, collector *receiver.Receiver) []receiver.Record {
	t.Helper()
	made := p.waitMetrics(t, func(m metrics) bool {
		return m["codex_proxy_live_exchanges"] == 0 && m["codex_proxy_merge_held"] == 0 && m.observed() > 0 && m[queued] == 0
	})
	p.stop()
	records := collector.Sink.Records()
	if made[delivered] != made.observed() || made[failedTries] != 0 || len(records) != int(made.observed()) {
		t.Errorf("%v records made, %v delivered in spite of %v failures, %d arrived; want all, none failed\n%s",
			made.observed(), made[delivered], made[failedTries], len(records), p.log)
	}
	for i := range records {
		texts := map[string]any{"body": records[i].Body, "event name": records[i].EventName}
		maps.Copy(texts, records[i].Resource)
		maps.Copy(texts, records[i].Attrs)
		for key, value := range texts {
			text, ok := value.(string)
			if ok && (!utf8.ValidString(text) || strings.ContainsRune(text, 0) || len(text) > maxValue) {
				t.Errorf("%s has %d bytes that begin with %.40q; want at most %d of UTF-8 without NULs", key, len(text), text, maxValue)
			}
		}
		if len(records[i].Duplicates) > 0 || records[i].Dropped > 0 {
			t.Errorf("attributes %q occur twice and %d were dropped; want none", records[i].Duplicates, records[i].Dropped)
		}
	}
	return records
}
