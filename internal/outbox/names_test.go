package outbox

import (
	"fmt"
	"strings"
	"testing"

	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

func encoded(t *testing.T, name, attribute string) []byte {
	t.Helper()
	record := &logspb.LogRecord{EventName: name}
	if attribute != "" {
		record.Attributes = []*commonpb.KeyValue{
			{Key: "prompt", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: "event.name"}}},
			{Key: "event.name", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: attribute}}},
		}
	}
	raw, err := proto.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestEventName(t *testing.T) {
	for _, test := range []struct{ name, attribute, want string }{
		{"codex.api_request", "codex.api_request", "codex.api_request"},
		{"event otel/src/x.rs:1", "codex.startup_phase", "codex.startup_phase"},
		{"session.start", "", "session.start"},
		{"", "", ""},
		{"", strings.Repeat("é", 100), strings.Repeat("é", 32)},
		{"", "a" + strings.Repeat("é", 100), "a" + strings.Repeat("é", 31)},
	} {
		if got := EventName(encoded(t, test.name, test.attribute)); got != test.want {
			t.Errorf("EventName(%q, %q) = %q; want %q", test.name, test.attribute, got, test.want)
		}
	}
}

func TestLedgerIsBounded(t *testing.T) {
	l := Ledger{}
	const names = 3 * maxAccounts
	for i := range names {
		l.Observe(Tally{fmt.Sprint("name ", i): 1})
	}
	for i := range names {
		l.Settle(Tally{fmt.Sprint("name ", i): 1}, Delivered)
	}
	if len(l) > maxAccounts+1 {
		t.Errorf("%d accounts; want at most %d", len(l), maxAccounts+1)
	}
	total := l.Total()
	if total.Observed != names || total.Settled[Delivered] != names || len(l.Queued()) != 0 {
		t.Errorf("Total() = %+v, queued %v; want every record once", total, l.Queued())
	}
}

// What is taken out of an entry is booked under the name that it came in with.
func TestEntryCountsForeignNames(t *testing.T) {
	record := &logspb.LogRecord{EventName: "event otel/src/x.rs:1", Attributes: []*commonpb.KeyValue{
		{Key: "event.name", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: "codex.startup_phase"}}},
	}}
	payload, err := proto.Marshal(&collogpb.ExportLogsServiceRequest{ResourceLogs: []*logspb.ResourceLogs{
		{ScopeLogs: []*logspb.ScopeLogs{{LogRecords: []*logspb.LogRecord{record, record}}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	first, rest := Entry{Payload: payload, Records: 2}.Split()
	for _, part := range []Entry{first, rest} {
		if part.Counts["codex.startup_phase"] != 1 || part.Counts.Total() != 1 {
			t.Errorf("Counts = %v; want one codex.startup_phase", part.Counts)
		}
	}
}
