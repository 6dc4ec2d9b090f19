package report

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
)

// panicking is a Recorder that panics.
type panicking struct{}

func (panicking) Record(events.Record) { panic("recorder") }

// TestPanicIsContained has what takes the records panic: the agent gets an answer, and the panic is counted.
func TestPanicIsContained(t *testing.T) {
	h := New(Config{Recorder: panicking{}})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == LogsPath {
			h.Logs().ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	}))
	defer server.Close()
	for path, body := range map[string]string{
		EventsPath: `{"event.name":"user_prompt","conversation.id":"c1","prompt":"hello"}`,
		LogsPath: `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[{"key":"event.name","value":{"stringValue":"codex.user_prompt"}},` +
			`{"key":"conversation.id","value":{"stringValue":"c1"}}]}]}]}]}`,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := server.Client().Do(req)
		if err != nil {
			t.Fatalf("%s: %v; want an answer", path, err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusInternalServerError {
			t.Errorf("%s = %d; want 500", path, res.StatusCode)
		}
	}
	if events, logs := h.Stats().Refused[PanicReason], h.LogStats().Refused[PanicReason]; events != 1 || logs != 1 {
		t.Errorf("panics counted = %d and %d; want 1 each", events, logs)
	}
}
