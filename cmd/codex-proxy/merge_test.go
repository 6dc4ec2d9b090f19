package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// exportedTurn is what Codex exports of the demo's first request, its prompt
// redacted, and a record that is Codex's alone.
const exportedTurn = `{"resourceLogs":[{
	"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"codex_exec"}},{"key":"host.name","value":{"stringValue":"h1"}}]},
	"scopeLogs":[{"scope":{"name":"codex_otel.log_only"},"logRecords":[
	{"observedTimeUnixNano":"1","severityNumber":9,"eventName":"event a.rs:1","attributes":[
		{"key":"event.name","value":{"stringValue":"codex.startup_phase"}},{"key":"conversation.id","value":{"stringValue":"` + demoConversation + `"}},
		{"key":"startup.phase","value":{"stringValue":"ready"}},{"key":"prompt","value":{"stringValue":"startup secret"}}]},
	{"observedTimeUnixNano":"2","severityNumber":9,"attributes":[
		{"key":"event.name","value":{"stringValue":"codex.user_prompt"}},{"key":"conversation.id","value":{"stringValue":"` + demoConversation + `"}},
		{"key":"prompt_length","value":{"stringValue":"21"}},{"key":"prompt","value":{"stringValue":"[REDACTED]"}},
		{"key":"user.email","value":{"stringValue":"me@example.com"}}]},
	{"observedTimeUnixNano":"3","severityNumber":9,"attributes":[
		{"key":"event.name","value":{"stringValue":"codex.api_request"}},{"key":"conversation.id","value":{"stringValue":"` + demoConversation + `"}},
		{"key":"duration_ms","value":{"stringValue":"10"}},{"key":"attempt","value":{"intValue":"0"}}]}
	]}]}]}`

// sink keeps the records that are exported to it, in OTLP/JSON.
type sink struct {
	*httptest.Server
	mu      sync.Mutex
	records []gjson.Result
}

func startSink(t *testing.T) *sink {
	t.Helper()
	s := new(sink)
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, resource := range gjson.GetBytes(body, "resourceLogs").Array() {
			for _, scope := range resource.Get("scopeLogs").Array() {
				s.records = append(s.records, scope.Get("logRecords").Array()...)
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// named returns the records of an event, each as its attributes.
func (s *sink) named(name string) []map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []map[string]string
	for _, record := range s.records {
		attrs := make(map[string]string)
		for _, attr := range record.Get("attributes").Array() {
			attr.Get("value").ForEach(func(_, v gjson.Result) bool {
				attrs[attr.Get("key").String()] = v.String()
				return true
			})
		}
		if attrs["event.name"] == name {
			found = append(found, attrs)
		}
	}
	return found
}

// What the traffic shows and what the agent exports is exported once, and what
// waits when the proxy is stopped is not lost.
func TestMergeThroughTheBinary(t *testing.T) {
	collector := startSink(t)
	model := responsestest.NewServer(t)
	model.Once(demoTurn()[0])
	p := startProxy(t, model.BaseURL(), `
[report]
merge_grace = "1h"
[otel]
log_user_prompt = false
exporter = { otlp-http = { endpoint = "`+collector.URL+`/logs", protocol = "json" } }
`)
	agent := newDemoAgent(p.url)
	ask := map[string]any{"type": "message", "role": "user", "content": []any{map[string]any{"type": "input_text", "text": demoPrompt}}}
	if err := agent.ask(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	for range 2 { // The second time is a retry.
		if status, body := send(t, "POST", p.url+report.LogsPath, exportedTurn, nil); status != http.StatusOK || strings.TrimSpace(body) != "{}" {
			t.Fatalf("POST = %d %s; want 200 and nothing rejected", status, body)
		}
	}
	if status, _ := send(t, "GET", p.url+report.LogsPath, "", nil); status != http.StatusMethodNotAllowed {
		t.Errorf("GET = %d; want 405", status)
	}
	if status, _ := send(t, "POST", p.url+report.LogsPath, exportedTurn, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }); status != http.StatusForbidden {
		t.Errorf("POST of a web page = %d; want 403", status)
	}
	_, metrics := send(t, "GET", p.url+"/metrics", "", nil)
	for _, want := range []string{
		"codex_proxy_logs_taken_total{as=\"event\"} 2", "codex_proxy_logs_taken_total{as=\"record\"} 2",
		"codex_proxy_logs_dropped_total{reason=\"told_by_traffic\"} 2", "codex_proxy_merge_suppressed_total{reason=\"repeat\"} 2",
	} {
		if !strings.Contains(metrics, "\n"+want+"\n") {
			t.Errorf("metrics lack %s", want)
		}
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d; want 0", code)
	}

	prompts := collector.named("codex.user_prompt")
	if len(prompts) != 1 || prompts[0]["telemetry.source"] != "both" || prompts[0]["prompt"] != "[REDACTED]" || prompts[0]["user.email"] != "me@example.com" ||
		prompts[0]["host.name"] != "h1" || prompts[0]["telemetry.disagreement"] != "" {
		t.Errorf("prompts = %v; want one that both told", prompts)
	}
	phases := collector.named("codex.startup_phase")
	if len(phases) != 1 || phases[0]["telemetry.source"] != "agent" || phases[0]["startup.phase"] != "ready" || phases[0]["prompt"] != "[REDACTED]" {
		t.Errorf("phases = %v; want the agent's own, its prompt redacted", phases)
	}
	if requests := collector.named("codex.api_request"); len(requests) != 1 || requests[0]["telemetry.source"] != "wire" {
		t.Errorf("requests = %v; want the one that the proxy saw", requests)
	}
}
