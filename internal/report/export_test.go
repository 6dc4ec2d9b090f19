package report

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// nativeRecord is a log record that a real Codex exported. An int is a string in
// it, as in OTLP/JSON; types has the OTLP type of each attribute where it is known.
type nativeRecord struct {
	Resource  map[string]string
	Scope     string
	EventName string
	Time      string
	Observed  string
	Severity  string
	Attrs     map[string]any
	Types     map[string]string
}

// text returns an attribute, "" when it is absent.
func (n *nativeRecord) text(key string) string {
	s, _ := n.Attrs[key].(string)
	return s
}

// exportRequest returns a request with the records as Codex exports them: one
// resource, and one scope for each scope name in a row.
func exportRequest(tb testing.TB, records []nativeRecord) plogotlp.ExportRequest {
	tb.Helper()
	logs := plog.NewLogs()
	for i := range records {
		n := &records[i]
		resourceLogs := logs.ResourceLogs().AppendEmpty()
		for _, key := range sortedKeys(n.Resource) {
			resourceLogs.Resource().Attributes().PutStr(key, n.Resource[key])
		}
		scopeLogs := resourceLogs.ScopeLogs().AppendEmpty()
		scopeLogs.Scope().SetName(n.Scope)
		record := scopeLogs.LogRecords().AppendEmpty()
		record.SetEventName(n.EventName)
		record.SetTimestamp(nanos(tb, n.Time))
		record.SetObservedTimestamp(nanos(tb, n.Observed))
		record.SetSeverityText(n.Severity)
		record.SetSeverityNumber(plog.SeverityNumberInfo)
		for _, key := range sortedKeys(n.Attrs) {
			putNative(tb, record.Attributes(), key, n.Attrs[key], n.Types[key])
		}
	}
	return plogotlp.NewExportRequestFromLogs(logs)
}

func nanos(tb testing.TB, text string) pcommon.Timestamp {
	tb.Helper()
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return pcommon.Timestamp(n)
}

func putNative(tb testing.TB, attrs pcommon.Map, key string, value any, kind string) {
	tb.Helper()
	switch value := value.(type) {
	case bool:
		attrs.PutBool(key, value)
	case string:
		if kind != "intValue" {
			attrs.PutStr(key, value)
			return
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			tb.Fatal(err)
		}
		attrs.PutInt(key, n)
	default:
		tb.Fatalf("attribute %s is a %T", key, value)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// logsReply is an answer of the logs endpoint.
type logsReply struct {
	status int
	header http.Header
	body   []byte
}

// postLogs sends a body to the logs endpoint without a network.
func postLogs(tb testing.TB, h *Handler, body []byte, headers ...string) logsReply {
	tb.Helper()
	request := httptest.NewRequestWithContext(tb.Context(), http.MethodPost, LogsPath, bytes.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	h.Logs().ServeHTTP(recorder, request)
	raw, err := io.ReadAll(recorder.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return logsReply{status: recorder.Code, header: recorder.Header(), body: raw}
}

// export sends records in protobuf and fails unless all are taken.
func export(tb testing.TB, h *Handler, records []nativeRecord) {
	tb.Helper()
	body, err := exportRequest(tb, records).MarshalProto()
	if err != nil {
		tb.Fatal(err)
	}
	if got := postLogs(tb, h, body, "Content-Type", "application/x-protobuf"); got.status != http.StatusOK || len(got.body) != 0 {
		tb.Fatalf("POST = %d %q; want 200 and nothing rejected", got.status, got.body)
	}
}

func decodeJSON(tb testing.TB, raw []byte, into any) {
	tb.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		tb.Fatal(err)
	}
}
