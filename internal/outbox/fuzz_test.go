package outbox

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

// single is a record of a payload, with what it is part of, in protobuf's one encoding of each.
type single struct {
	Resource, Scope, Record string
	Name                    string
	Delta                   bool
}

// singles takes a request apart with the library.
func singles(request *collogpb.ExportLogsServiceRequest) []single {
	encode := func(m proto.Message) string {
		b, _ := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		return string(b)
	}
	var found []single
	for _, r := range request.GetResourceLogs() {
		resource := encode(&logspb.ResourceLogs{Resource: r.GetResource(), SchemaUrl: r.GetSchemaUrl()})
		for _, s := range r.GetScopeLogs() {
			scope := encode(&logspb.ScopeLogs{Scope: s.GetScope(), SchemaUrl: s.GetSchemaUrl()})
			for _, record := range s.GetLogRecords() {
				one := single{Resource: resource, Scope: scope, Record: encode(record), Name: record.GetEventName()}
				for _, kv := range record.GetAttributes() {
					switch value, ok := kv.GetValue().GetValue().(*commonpb.AnyValue_StringValue); {
					case ok && kv.GetKey() == "event.name":
						one.Name = value.StringValue
					case ok && kv.GetKey() == "event.kind":
						one.Delta = strings.HasSuffix(value.StringValue, ".delta")
					}
				}
				one.Name = strings.ToValidUTF8(one.Name[:min(len(one.Name), 64)], "")
				found = append(found, one)
			}
		}
	}
	return found
}

// checkEntry wants an entry to hold those records and to count them.
func checkEntry(t *testing.T, what string, e Entry, want []single) {
	t.Helper()
	request := new(collogpb.ExportLogsServiceRequest)
	if err := proto.Unmarshal(e.Payload, request); err != nil {
		t.Fatalf("%s: Unmarshal() = %v", what, err)
	}
	if got := singles(request); !slices.Equal(want, got) {
		t.Errorf("%s: records (-want +got):\n%s", what, cmp.Diff(want, got))
	}
	counts, deltas := Tally{}, 0
	for _, one := range want {
		counts[one.Name]++
		if one.Delta {
			deltas++
		}
	}
	if diff := cmp.Diff(counts, e.Counts); diff != "" || e.Records != len(want) || e.Deltas != deltas {
		t.Errorf("%s: %d records, %d deltas; want %d and %d; counts (-want +got):\n%s", what, e.Records, e.Deltas, len(want), deltas, diff)
	}
}

// FuzzEntry takes payloads apart and joins them. What is kept of one that protobuf can read is there unchanged, once, in
// order and counted; what is kept of any other is counted as it is read again.
func FuzzEntry(f *testing.F) {
	text := func(key, value string) *commonpb.KeyValue {
		return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
	}
	delta := &logspb.LogRecord{EventName: "codex.sse_event", Attributes: []*commonpb.KeyValue{text("event.kind", "response.output_text.delta")}}
	foreign := &logspb.LogRecord{EventName: "event x.rs:1", Attributes: []*commonpb.KeyValue{text("event.name", strings.Repeat("é", 40)), text("event.kind", "delta")}}
	scope := &logspb.ScopeLogs{Scope: &commonpb.InstrumentationScope{Name: "n"}, LogRecords: []*logspb.LogRecord{delta, foreign, {Body: text("", "b").GetValue()}}}
	request := &collogpb.ExportLogsServiceRequest{ResourceLogs: []*logspb.ResourceLogs{
		{ScopeLogs: []*logspb.ScopeLogs{scope, {LogRecords: []*logspb.LogRecord{delta}}}, SchemaUrl: "s"}, {}, {ScopeLogs: []*logspb.ScopeLogs{{}, scope}},
	}}
	payload, err := proto.Marshal(request)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(payload, payload[:0])
	f.Add(payload[:len(payload)/2], payload)
	f.Add(slices.Concat(payload, []byte("\x0a\x00\x12\x03\x12\x01\x12")), slices.Concat([]byte("\x80\x01\x07"), payload))
	f.Fuzz(func(t *testing.T, payload, other []byte) {
		before := slices.Clone(payload)
		whole := NewEntry(payload)
		first, rest := whole.Split()
		thin := whole.WithoutDeltas()
		for name, e := range map[string]Entry{"NewEntry()": whole, "first half": first, "rest": rest, "WithoutDeltas()": thin} {
			if again := NewEntry(e.Payload); !cmp.Equal(e, again) {
				t.Errorf("%s is %+v, read again %+v", name, e, again)
			}
			if e.Counts.Total() != e.Records || e.Deltas > e.Records {
				t.Errorf("%s = %+v; its counts do not add up", name, e)
			}
		}
		if first.Records != whole.Records/2 || first.Records+rest.Records != whole.Records || thin.Records != whole.Records-whole.Deltas {
			t.Errorf("%d records; %d and %d in halves, %d without %d deltas", whole.Records, first.Records, rest.Records, thin.Records, whole.Deltas)
		}
		if diff := cmp.Diff(whole.Counts, first.Counts.Plus(rest.Counts)); diff != "" {
			t.Errorf("counts of the halves (-whole +sum):\n%s", diff)
		}
		if !slices.Equal(payload, before) {
			t.Error("the payload was written to")
		}
		one, two := new(collogpb.ExportLogsServiceRequest), new(collogpb.ExportLogsServiceRequest)
		if proto.Unmarshal(payload, one) != nil {
			return
		}
		if n := len(singles(one)); n != whole.Records {
			t.Errorf("%d records; want %d", whole.Records, n)
		}
		checkParts(t, one)
		if proto.Unmarshal(other, two) == nil {
			a, _ := proto.Marshal(one)
			b, _ := proto.Marshal(two)
			joined := NewEntry(a).Join(NewEntry(b))
			checkEntry(t, "Join()", joined, slices.Concat(singles(one), singles(two)))
		}
	})
}

// checkParts takes a request apart that has every field once, as all that is recorded has.
func checkParts(t *testing.T, request *collogpb.ExportLogsServiceRequest) {
	t.Helper()
	payload, err := proto.Marshal(request)
	if err != nil {
		t.Fatalf("Marshal() = %v", err)
	}
	want := singles(request)
	whole := NewEntry(payload)
	checkEntry(t, "NewEntry()", whole, want)
	first, rest := whole.Split()
	checkEntry(t, "first half", first, want[:len(want)/2])
	checkEntry(t, "rest", rest, want[len(want)/2:])
	checkEntry(t, "WithoutDeltas()", whole.WithoutDeltas(), slices.DeleteFunc(slices.Clone(want), func(one single) bool { return one.Delta }))
}
