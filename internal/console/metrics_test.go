package console

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/codex-proxy/codex-proxy/events"
)

// scrape compares what /metrics serves under those prefixes with want. All of
// it must parse, and keep to Prometheus' conventions.
func scrape(t *testing.T, m *Metrics, want string, prefixes ...string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("GET /metrics = %d %s; want 200 text/plain", w.Code, w.Header().Get("Content-Type"))
	}
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.New(bytes.NewReader(body)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("lint of metrics = %v, %v; want nothing", problems, err)
	}
	var got strings.Builder
	for line := range strings.Lines(string(body)) {
		for _, prefix := range prefixes {
			if strings.HasPrefix(line, prefix) {
				got.WriteString(line)
			}
		}
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

type unknownEvent struct{ events.ToolDecision }

func (*unknownEvent) EventName() string { return "codex.of_tomorrow" }

func TestMetricsCount(t *testing.T) {
	m := NewMetrics("1.2.3")
	usage := &events.Usage{
		Input: 1200, Cached: events.Some[int64](1024), CacheWrite: events.Some[int64](7),
		Output: 42, Reasoning: events.Some[int64](10), Total: 1242,
	}
	completed := sseEvent("completed", 1)
	completed.Usage = usage
	hostile := sseEvent("completed", 1)
	hostile.Usage = &events.Usage{Input: -5, Output: -5, Total: -10, Cached: events.Some[int64](-1)}
	for _, event := range []events.Event{
		delta(), completed, hostile,
		&events.SSEEvent{ErrorMessage: "broke"},
		&events.APIRequest{StatusCode: events.Some[int64](200)},
		&events.APIRequest{StatusCode: events.Some[int64](204)},
		&events.APIRequest{StatusCode: events.Some[int64](429), ErrorMessage: "http 429"},
		&events.APIRequest{StatusCode: events.Some[int64](777)},
		&events.APIRequest{ErrorMessage: "refused"},
		&unknownEvent{},
	} {
		m.Record(numbered(0, event, "c"))
	}
	want, err := os.ReadFile(filepath.Join("testdata", "metrics.prom"))
	if err != nil {
		t.Fatal(err)
	}
	scrape(t, m, string(want), "codex_proxy_events", "codex_proxy_api", "codex_proxy_tokens")
	scrape(t, m, fmt.Sprintf("codex_proxy_build_info{go_version=%q,version=\"1.2.3\"} 1\n", runtime.Version()), "codex_proxy_build_info")
}

func TestMetricsRegister(t *testing.T) {
	m := NewMetrics("1.2.3")
	for _, reason := range []string{"full", "age"} {
		labels := map[string]string{"reason": reason}
		if err := m.CounterFunc("codex_proxy_dropped_total", "Dropped.", labels, func() float64 { return float64(len(reason)) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.GaugeFunc("codex_proxy_queued", "Queued.", nil, func() float64 { return -1 }); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		m.GaugeFunc("codex_proxy_queued", "Queued.", nil, func() float64 { return 0 }),
		m.CounterFunc("codex_proxy_dropped_total", "Other.", map[string]string{"other": "x"}, func() float64 { return 0 }),
	} {
		if err == nil || !strings.Contains(err.Error(), "register metric codex_proxy_") {
			t.Errorf("registering what cannot be = %v; want an error with the name", err)
		}
	}
	scrape(t, m, `codex_proxy_dropped_total{reason="age"} 3
codex_proxy_dropped_total{reason="full"} 4
codex_proxy_queued -1
`, "codex_proxy_dropped_total", "codex_proxy_queued")
}
