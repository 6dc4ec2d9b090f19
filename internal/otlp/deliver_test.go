package otlp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/codex-proxy/codex-proxy/events"
)

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

func whole(key string, value int64) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: value}}}
}

func truth(key string, value bool) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{BoolValue: value}}}
}

func failedRequest() events.Record {
	return record(&events.APIRequest{
		DurationMS: 412, StatusCode: events.Int64(503), ErrorMessage: "http 503", Attempt: 1,
		Endpoint: "/responses", HeaderSent: events.Some(true), Method: "POST",
	})
}

// wantSample is the request for failedRequest, spelled out.
func wantSample() *collogpb.ExportLogsServiceRequest {
	nano := uint64(sampleTime().UnixNano())
	return &collogpb.ExportLogsServiceRequest{ResourceLogs: []*logspb.ResourceLogs{{
		Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{
			text("env", "dev"), text("service.name", "codex-cli"), text("service.version", "0.149.0"),
		}},
		ScopeLogs: []*logspb.ScopeLogs{{
			Scope: &commonpb.InstrumentationScope{Name: "codex-proxy", Version: "1.2.3"},
			LogRecords: []*logspb.LogRecord{{
				TimeUnixNano:         nano,
				ObservedTimeUnixNano: nano,
				SeverityNumber:       logspb.SeverityNumber_SEVERITY_NUMBER_ERROR,
				SeverityText:         "ERROR",
				EventName:            "codex.api_request",
				Body:                 &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: "POST /responses 503 in 412 ms"}},
				Attributes: []*commonpb.KeyValue{
					text("event.name", "codex.api_request"),
					text("event.timestamp", "2026-11-23T10:20:30.123Z"),
					whole("duration_ms", 412),
					whole("http.response.status_code", 503),
					text("error.message", "http 503"),
					whole("attempt", 1),
					text("endpoint", "/responses"),
					truth("auth.header_attached", true),
					text("http.request.method", "POST"),
					text("conversation.id", "019a-conversation"),
					text("app.version", "0.149.0"),
					text("auth_mode", "ApiKey"),
					text("originator", "codex_exec"),
					text("terminal.type", "xterm-256color"),
					text("model", "gpt-5"),
					text("slug", "gpt-5"),
					text("turn.id", "turn-1"),
					text("response.id", "resp_1"),
					text("request.id", "req_1"),
					text("telemetry.source", "wire"),
					text("event.id", events.ID("sample")),
				},
			}},
		}},
	}}}
}

func TestExporterDelivers(t *testing.T) {
	for _, protocol := range protocols {
		for _, secure := range []bool{false, true} {
			for _, compressed := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, tls %t, gzip %t", protocol, secure, compressed), func(t *testing.T) {
					c := startCollector(t, protocol, secure, "", nil)
					cfg := c.config()
					cfg.Gzip = compressed
					cfg.Version = "1.2.3"
					cfg.Headers = map[string]string{"X-Otlp-Api-Key": "key-1", "Authorization": "Bearer token-1"}
					x := open(t, cfg)
					run(t, x)
					x.Record(failedRequest())
					c.await(t, 1)
					seen, _ := c.requests()
					if diff := cmp.Diff(wantSample(), seen[0].request, protocmp.Transform()); diff != "" {
						t.Errorf("request (-want +got):\n%s", diff)
					}
					checkHeaders(t, protocol, compressed, seen[0])
					if err := x.Flush(t.Context()); err != nil {
						t.Errorf("Flush() = %v", err)
					}
					s := x.Stats()
					if s.Recorded != 1 || s.Delivered != 1 || s.Batches != 1 || s.Queued != 0 || s.FailedTries != 0 {
						t.Errorf("Stats() = %+v; want one record delivered", s)
					}
				})
			}
		}
	}
}

func checkHeaders(t *testing.T, protocol Protocol, compressed bool, got received) {
	t.Helper()
	want := map[string]string{"X-Otlp-Api-Key": "key-1", "Authorization": "Bearer token-1"}
	switch protocol {
	case ProtocolHTTPBinary:
		want["Content-Type"] = "application/x-protobuf"
	case ProtocolHTTPJSON:
		want["Content-Type"] = "application/json"
	case ProtocolGRPC:
		want["Content-Type"] = "application/grpc+proto"
	}
	for name, value := range want {
		if got.header.Get(name) != value {
			t.Errorf("header %s = %q; want %q", name, got.header.Get(name), value)
		}
	}
	if agent := got.header.Get("User-Agent"); !strings.HasPrefix(agent, "codex-proxy/1.2.3") {
		t.Errorf("User-Agent = %q; want codex-proxy/1.2.3", agent)
	}
	if want := map[bool]string{true: "gzip"}[compressed]; got.compression != want {
		t.Errorf("compression = %q; want %q", got.compression, want)
	}
}

func TestProtocolsAgree(t *testing.T) {
	var requests []*collogpb.ExportLogsServiceRequest
	for _, protocol := range protocols {
		c := startCollector(t, protocol, false, "", nil)
		x := open(t, c.config())
		for _, r := range []events.Record{failedRequest(), prompt("hello"), delta(), completed()} {
			x.Record(r)
		}
		other := prompt("elsewhere")
		other.Scope.Resource = &events.Resource{ServiceName: "codex-cli", Environment: "prod"}
		x.Record(other)
		if err := x.Flush(t.Context()); err != nil {
			t.Fatalf("Flush() = %v", err)
		}
		seen, _ := c.requests()
		if len(seen) != 1 || len(seen[0].request.GetResourceLogs()) != 2 || len(seen[0].records()) != 5 {
			t.Fatalf("%s: requests = %v; want one with two resources and five records", protocol, seen)
		}
		requests = append(requests, seen[0].request)
	}
	for i, request := range requests[1:] {
		if diff := cmp.Diff(requests[0], request, protocmp.Transform()); diff != "" {
			t.Errorf("%s and %s differ:\n%s", protocols[0], protocols[i+1], diff)
		}
	}
}

func TestEndpointIsUsedVerbatim(t *testing.T) {
	c := startCollector(t, ProtocolHTTPBinary, false, "", nil)
	cfg := c.config()
	cfg.Endpoint = strings.TrimSuffix(c.url, "/v1/logs") + "/custom/path?tenant=a%20b"
	x := open(t, cfg)
	x.Record(delta())
	if err := x.Flush(t.Context()); err != nil {
		t.Fatalf("Flush() = %v", err)
	}
	seen, _ := c.requests()
	if got, want := seen[0].path, "/custom/path?tenant=a%20b"; got != want {
		t.Errorf("path = %q; want %q", got, want)
	}
}

func TestCodexSchema(t *testing.T) {
	c := startCollector(t, ProtocolGRPC, false, "", nil)
	cfg := c.config()
	cfg.Encoder = &events.Encoder{Schema: events.SchemaCodex}
	x := open(t, cfg)
	x.Record(completed())
	x.Record(record(&events.SSEEvent{ClientGone: true}))
	if err := x.Flush(t.Context()); err != nil {
		t.Fatalf("Flush() = %v", err)
	}
	seen, _ := c.requests()
	records := seen[0].records()
	if len(records) != 2 || x.Stats().Recorded != 2 {
		t.Fatalf("%d records, Stats() = %+v; want the completion twice and the other event not at all", len(records), x.Stats())
	}
	for _, r := range records {
		if r.GetBody() != nil {
			t.Errorf("body = %v; want none", r.GetBody())
		}
	}
}

// TestEnvironmentHasNoSay sets what the SDK and its exporter read from the
// environment.
func TestEnvironmentHasNoSay(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT":                  "http://127.0.0.1:1",
		"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT":             "http://127.0.0.1:1",
		"OTEL_EXPORTER_OTLP_HEADERS":                   "x-from-environment=1",
		"OTEL_EXPORTER_OTLP_COMPRESSION":               "gzip",
		"OTEL_EXPORTER_OTLP_TIMEOUT":                   "1",
		"OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT":         "1",
		"OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT":  "1",
		"OTEL_RESOURCE_ATTRIBUTES":                     "team=blue,service.name=other",
		"OTEL_SERVICE_NAME":                            "another",
		"OTEL_SDK_DISABLED":                            "true",
		"OTEL_EXPORTER_OTLP_LOGS_INSECURE":             "false",
		"OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE":   "/nonexistent",
		"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM": "x",
	} {
		t.Setenv(name, value)
	}
	for _, protocol := range protocols {
		c := startCollector(t, protocol, false, "", nil)
		cfg := c.config()
		cfg.Version = "1.2.3"
		x := open(t, cfg)
		x.Record(failedRequest())
		if err := x.Flush(t.Context()); err != nil {
			t.Fatalf("%s: Flush() = %v", protocol, err)
		}
		seen, _ := c.requests()
		want := wantSample()
		// What the environment adds to the resource is Codex's behavior too.
		resource := want.GetResourceLogs()[0].GetResource()
		resource.Attributes = append(resource.Attributes, text("team", "blue"))
		if diff := cmp.Diff(want, seen[0].request, protocmp.Transform()); diff != "" {
			t.Errorf("%s: request (-want +got):\n%s", protocol, diff)
		}
		if seen[0].header.Get("X-From-Environment") != "" || seen[0].compression != "" {
			t.Errorf("%s: the environment set headers or compression", protocol)
		}
	}
}

// TestDeltasTakeTheShortWay compares the first delta of a resource, which goes
// through the SDK, with the next, which does not.
func TestDeltasTakeTheShortWay(t *testing.T) {
	for _, schema := range []events.Schema{events.SchemaTyped, events.SchemaCodex} {
		c := startCollector(t, ProtocolHTTPBinary, false, "", nil)
		cfg := c.config()
		cfg.Encoder = &events.Encoder{Schema: schema}
		x := open(t, cfg)
		x.Record(delta())
		if x.loggers.get(sampleScope().Resource).processor.group.Load() == nil {
			t.Fatal("the first record did not pass the processor")
		}
		x.Record(delta())
		if err := x.Flush(t.Context()); err != nil {
			t.Fatalf("Flush() = %v", err)
		}
		records := c.await(t, 2)
		if diff := cmp.Diff(records[0], records[1], protocmp.Transform()); diff != "" {
			t.Errorf("schema %d: records differ (-sdk +short):\n%s", schema, diff)
		}
	}
}
