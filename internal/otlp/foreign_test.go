package otlp

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/codex-proxy/codex-proxy/events"
)

func textValue(text string) events.Value { return events.Value{Kind: events.ValueText, Text: text} }

// foreign returns a record with a value of every kind.
func foreign() *events.Foreign {
	return &events.Foreign{
		Origin: &events.Origin{
			Resource: []events.Pair{events.TextPair("service.name", "my-service"), events.TextPair("host.name", "h1")}, ResourceDropped: 2,
			ResourceSchemaURL: "https://schema/r", ScopeName: "lib", ScopeVersion: "0.1",
			ScopeAttributes: []events.Pair{events.TextPair("a", "b")}, ScopeDropped: 3, ScopeSchemaURL: "https://schema/s",
		},
		RecordName: "session.start", TimeUnixNano: 11, ObservedUnixNano: 12, SeverityNumber: 13, SeverityText: "WARN2", Dropped: 4, Flags: 1,
		TraceID: [16]byte{1, 2}, SpanID: [8]byte{3, 4},
		Body: events.Value{Kind: events.ValueMap, Map: []events.Pair{
			{Key: "z", Value: events.Value{Kind: events.ValueList, List: []events.Value{textValue("x"), {}, {Kind: events.ValueInt, Int: -1}}}},
			{Key: "a", Value: events.Value{Kind: events.ValueBytes, Text: "\x00\xff"}},
		}},
		Attributes: []events.Pair{
			{Key: "text", Value: textValue("")},
			{Key: "int", Value: events.Value{Kind: events.ValueInt, Int: math.MinInt64}},
			{Key: "double", Value: events.Value{Kind: events.ValueDouble, Double: 1.5}},
			{Key: "false", Value: events.Value{Kind: events.ValueBool}},
			{Key: "bytes", Value: events.Value{Kind: events.ValueBytes}},
			{Key: "list", Value: events.Value{Kind: events.ValueList}},
			{Key: "map", Value: events.Value{Kind: events.ValueMap}},
			{Key: "empty"},
		},
	}
}

func pair(v *commonpb.AnyValue, key string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: v}
}

func wantForeign() *collogpb.ExportLogsServiceRequest {
	str := func(s string) *commonpb.AnyValue {
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: s}}
	}
	integer := func(n int64) *commonpb.AnyValue {
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: n}}
	}
	list := func(values ...*commonpb.AnyValue) *commonpb.AnyValue {
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: &commonpb.ArrayValue{Values: values}}}
	}
	object := func(values ...*commonpb.KeyValue) *commonpb.AnyValue {
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_KvlistValue{KvlistValue: &commonpb.KeyValueList{Values: values}}}
	}
	raw := func(b []byte) *commonpb.AnyValue {
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_BytesValue{BytesValue: b}}
	}
	return &collogpb.ExportLogsServiceRequest{ResourceLogs: []*logspb.ResourceLogs{{
		SchemaUrl: "https://schema/r",
		Resource: &resourcepb.Resource{
			Attributes: []*commonpb.KeyValue{text("service.name", "my-service"), text("host.name", "h1")}, DroppedAttributesCount: 2,
		},
		ScopeLogs: []*logspb.ScopeLogs{{
			SchemaUrl: "https://schema/s",
			Scope: &commonpb.InstrumentationScope{
				Name: "lib", Version: "0.1", Attributes: []*commonpb.KeyValue{text("a", "b")}, DroppedAttributesCount: 3,
			},
			LogRecords: []*logspb.LogRecord{{
				TimeUnixNano: 11, ObservedTimeUnixNano: 12, SeverityNumber: 13, SeverityText: "WARN2", EventName: "session.start",
				DroppedAttributesCount: 4, Flags: 1,
				TraceId: []byte{1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, SpanId: []byte{3, 4, 0, 0, 0, 0, 0, 0},
				Body: object(pair(list(str("x"), &commonpb.AnyValue{}, integer(-1)), "z"), pair(raw([]byte{0, 0xff}), "a")),
				Attributes: []*commonpb.KeyValue{
					pair(str(""), "text"), pair(integer(math.MinInt64), "int"),
					pair(&commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: 1.5}}, "double"),
					truth("false", false), pair(raw(nil), "bytes"), pair(list(), "list"), pair(object(), "map"),
					pair(&commonpb.AnyValue{}, "empty"),
				},
			}},
		}},
	}}}
}

func TestForeignPassesAsItIs(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			c := startCollector(t, protocol, false, "", nil)
			x := open(t, c.config())
			x.Record(events.Record{Event: foreign(), Scope: sampleScope(), Time: sampleTime(), Source: events.SourceAgent, ID: "id"})
			if err := x.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, _ := c.requests()
			if len(got) != 1 {
				t.Fatalf("%d requests; want 1", len(got))
			}
			if diff := cmp.Diff(wantForeign(), got[0].request, protocmp.Transform()); diff != "" {
				t.Errorf("exported (-want +got):\n%s", diff)
			}
			balance(t, x)
		})
	}
}

// Codex's own records say who told them and which fact they are, and leave what
// they have not to be absent.
func TestForeignOfCodex(t *testing.T) {
	c := startCollector(t, ProtocolHTTPBinary, false, "", nil)
	x := open(t, c.config())
	f := &events.Foreign{Origin: &events.Origin{ScopeName: "codex_otel.log_only"}, ObservedUnixNano: 7, Attributes: []events.Pair{
		events.TextPair("event.name", "codex.sse_event"), events.TextPair("event.kind", "response.output_text.delta"),
	}}
	x.Record(events.Record{Event: f, Scope: sampleScope(), Time: sampleTime(), Source: events.SourceAgent, ID: "id"})
	x.Record(prompt("between"))
	x.Record(events.Record{Event: f, Scope: sampleScope(), Time: sampleTime(), Source: events.SourceAgent})
	if err := x.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen, _ := c.requests()
	request := seen[0].request
	if got := len(request.GetResourceLogs()); got != 2 {
		t.Errorf("%d resources; want 2: one for each origin", got)
	}
	records := request.GetResourceLogs()[0].GetScopeLogs()[0].GetLogRecords()
	want := []*logspb.LogRecord{
		{ObservedTimeUnixNano: 7, Attributes: []*commonpb.KeyValue{
			text("event.name", "codex.sse_event"), text("event.kind", "response.output_text.delta"),
			text("telemetry.source", "agent"), text("event.id", "id"),
		}},
		{ObservedTimeUnixNano: 7, Attributes: []*commonpb.KeyValue{
			text("event.name", "codex.sse_event"), text("event.kind", "response.output_text.delta"), text("telemetry.source", "agent"),
		}},
	}
	if diff := cmp.Diff(want, records, protocmp.Transform()); diff != "" {
		t.Errorf("exported (-want +got):\n%s", diff)
	}
	balance(t, x)
}

func TestForeignGroupsAreBounded(t *testing.T) {
	c := startCollector(t, ProtocolHTTPBinary, false, "", nil)
	x := open(t, c.config())
	for i := range 3 * maxForeignGroups {
		f := &events.Foreign{Origin: &events.Origin{ScopeName: string(rune('a' + i))}}
		x.Record(events.Record{Event: f, Scope: sampleScope()})
	}
	if got := len(x.foreigners.groups); got > maxForeignGroups {
		t.Errorf("%d groups are remembered; want at most %d", got, maxForeignGroups)
	}
	if err := x.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.await(t, 3*maxForeignGroups)
	balance(t, x)
}
