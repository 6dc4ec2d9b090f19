package report

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// testNow is the clock of the tests.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// memory keeps what it is given.
type memory struct {
	mu      sync.Mutex
	records []events.Record
}

// Record implements events.Recorder.
func (m *memory) Record(r events.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = append(m.records, r)
}

func (m *memory) all() []events.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]events.Record(nil), m.records...)
}

// newTest returns a handler with a fixed clock and what it records.
func newTest(tb testing.TB, config Config) (*Handler, *memory) {
	tb.Helper()
	recorded := new(memory)
	if config.Recorder == nil {
		config.Recorder = recorded
	}
	if config.Now == nil {
		config.Now = func() time.Time { return testNow }
	}
	if config.Resource == (events.Resource{}) {
		config.Resource = events.Resource{ServiceName: "codex-cli", Environment: "dev"}
	}
	return New(config), recorded
}

// serve returns a real server of the handler.
func serve(t *testing.T, h *Handler) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(EventsPath, h)
	mux.Handle(OpenAPIPath, h.OpenAPI())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// reply is an answer with what came around it.
type reply struct {
	Answer
	status int
	header http.Header
}

// post sends a body and returns the answer; headers are pairs.
func post(t *testing.T, server *httptest.Server, body io.Reader, headers ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+EventsPath, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got := reply{status: response.StatusCode, header: response.Header}
	decoder := json.NewDecoder(response.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got.Answer); err != nil {
		t.Fatalf("decode answer: %v", err)
	}
	return got
}

// one decodes a single item without a network.
func one(h *Handler, item string) (events.Record, []Problem) {
	return h.decode([]byte(item), origin{now: testNow})
}

// attributes returns what an encoder makes of a record.
func attributes(record events.Record) map[string]any {
	got := make(map[string]any)
	for _, kv := range new(events.Encoder).Attributes(nil, record) {
		got[string(kv.Key)] = kv.Value.AsInterface()
	}
	return got
}
