package console

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/otlp"
	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// exported returns the log record that the exporter makes of a record.
func exported(t *testing.T, encoder *events.Encoder, r events.Record) *logspb.LogRecord {
	t.Helper()
	waiting := outbox.NewMemory(outbox.Limits{MaxRecords: 10, MaxBytes: 1 << 20}, outbox.Limits{MaxRecords: 10, MaxBytes: 1 << 20})
	exporter := otlp.NewLocal(otlp.Config{Outbox: waiting, Encoder: encoder})
	defer exporter.Close()
	exporter.Record(r)
	if err := exporter.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	e, _ := waiting.Next(0)
	request := new(collogpb.ExportLogsServiceRequest)
	if err := proto.Unmarshal(e.Payload, request); err != nil || e.Records != 1 {
		t.Fatalf("exported %d records, %v; want 1", e.Records, err)
	}
	return request.GetResourceLogs()[0].GetScopeLogs()[0].GetLogRecords()[0]
}

// TestAppendLogRecord gives back of what was exported what the feed told.
func TestAppendLogRecord(t *testing.T) {
	for _, schema := range []events.Schema{events.SchemaTyped, events.SchemaCodex} {
		enc := &events.Encoder{Schema: schema}
		for _, event := range []events.Event{
			&events.APIRequest{DurationMS: 412, StatusCode: events.Some[int64](200), HeaderSent: events.Some(true), Endpoint: "/responses"},
			&events.APIRequest{ErrorMessage: "connection refused\n\x1b[31m"},
			&events.UserPrompt{Length: 5, Prompt: events.Some("h\u202eo")},
			&events.ToolResult{ToolName: "shell", CallID: events.Some("k"), Output: events.Some(""), Success: true},
			delta(),
		} {
			r := numbered(3, event, "c1")
			if diff := cmp.Diff(string(AppendJSON(nil, enc, r)), string(AppendLogRecord(nil, exported(t, enc, r)))); diff != "" {
				t.Errorf("AppendLogRecord() (-as told +as exported):\n%s", diff)
			}
		}
	}
	r := foreignRecord()
	r.Event.(*events.Foreign).TimeUnixNano = uint64(r.Time.UnixNano())
	want := string(AppendJSON(nil, &events.Encoder{}, r))
	want = want[:strings.LastIndex(want, `,"body":`)] + `,"body":""}`
	if diff := cmp.Diff(want, string(AppendLogRecord(nil, exported(t, &events.Encoder{}, r)))); diff != "" {
		t.Errorf("AppendLogRecord() of a foreign record (-want +got):\n%s", diff)
	}
}

// TestAppendLogRecordOfAnything has values that no event of the catalogue has.
func TestAppendLogRecordOfAnything(t *testing.T) {
	body := &commonpb.AnyValue{Value: &commonpb.AnyValue_KvlistValue{KvlistValue: &commonpb.KeyValueList{Values: []*commonpb.KeyValue{
		{Key: "nan", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: math.NaN()}}}, {Key: "none"},
	}}}}
	for _, test := range []struct {
		record *logspb.LogRecord
		want   string
	}{
		{nil, `{"event.name":"log","event.timestamp":"1970-01-01T00:00:00.000Z","severity":"INFO","body":""}`},
		{
			&logspb.LogRecord{EventName: "n", ObservedTimeUnixNano: 1e9, SeverityNumber: 21, Body: body},
			`{"event.name":"n","event.timestamp":"1970-01-01T00:00:01.000Z","severity":"ERROR","body":{"nan":"NaN","none":null}}`,
		},
	} {
		got := string(AppendLogRecord(nil, test.record))
		if got != test.want || !json.Valid([]byte(got)) {
			t.Errorf("AppendLogRecord() = %s; want %s", got, test.want)
		}
	}
}
