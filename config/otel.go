package config

import "time"

// Values of the enumerated keys of [otel].
const (
	ProtocolBinary = "binary" // OTLP as protobuf
	ProtocolJSON   = "json"   // OTLP/JSON

	CompressionNone = "none"
	CompressionGzip = "gzip"

	SchemaTyped = "typed" // numbers are ints, the documented spelling
	SchemaCodex = "codex" // Codex's own types, spelling and severity

	SSEEventsAll       = "all"       // one record for each SSE event
	SSEEventsLifecycle = "lifecycle" // no deltas
	SSEEventsCompleted = "completed" // only the end of a response

	exporterNone    = "none"
	exporterStatsig = "statsig"
)

// OTel is Codex's [otel] table (codex-rs/config, OtelConfigToml), to the letter, followed by keys of the proxy's own.
type OTel struct {
	Environment   string   `mapstructure:"environment" doc:"The env attribute of the resource: dev, staging, prod, ..."`
	Exporter      Exporter `mapstructure:"exporter" doc:"Where events go: \"none\", or a table with either otlp-http or otlp-grpc."`
	LogUserPrompt bool     `mapstructure:"log_user_prompt" doc:"Record the text of prompts, as content.prompts = full does. Otherwise only their length, unless that key says more."`

	ServiceName string `mapstructure:"service_name" nonempty:"true" doc:"The resource's service.name."`
	Schema      string `mapstructure:"schema" enum:"typed,codex" doc:"typed: numbers are ints. codex: exactly the types and spelling Codex itself exports."`
	SSEEvents   string `mapstructure:"sse_events" enum:"all,lifecycle,completed" doc:"Which SSE events become records: all, all but deltas, or only the end of a response."`

	TraceExporter   Ignored `mapstructure:"trace_exporter" kind:"exporter" doc:"A key of Codex's. Accepted, not used."`
	MetricsExporter Ignored `mapstructure:"metrics_exporter" kind:"exporter" doc:"A key of Codex's. Accepted, not used."`
	SpanAttributes  Ignored `mapstructure:"span_attributes" kind:"strings" doc:"A key of Codex's. Accepted, not used."`
	TraceState      Ignored `mapstructure:"tracestate" kind:"members" doc:"A key of Codex's. Accepted, not used."`
}

// Exporter is where records are sent. At most one field is set; neither means exporter = "none".
type Exporter struct {
	HTTP *OTLPHTTP `mapstructure:"otlp-http" doc:"OTLP over HTTP."`
	GRPC *OTLPGRPC `mapstructure:"otlp-grpc" doc:"OTLP over gRPC."`
}

// None reports whether nothing is exported.
func (e Exporter) None() bool { return e.HTTP == nil && e.GRPC == nil }

// OTLPHTTP sends OTLP/HTTP requests.
type OTLPHTTP struct {
	Endpoint    string            `mapstructure:"endpoint" kind:"url" required:"true" doc:"URL to post to, used as it is: nothing appends /v1/logs."`
	Protocol    string            `mapstructure:"protocol" enum:"binary,json" required:"true" doc:"Body encoding: protobuf or OTLP/JSON."`
	Headers     map[string]Secret `mapstructure:"headers" doc:"Headers of every request."`
	TLS         *TLS              `mapstructure:"tls" doc:"Trust roots and client certificate."`
	Compression string            `mapstructure:"compression" enum:"none,gzip" default:"none" doc:"Body compression."`
	Timeout     time.Duration     `mapstructure:"timeout" min:"1" default:"10s" doc:"Time for one request."`
}

// OTLPGRPC calls the OTLP logs service.
type OTLPGRPC struct {
	Endpoint    string            `mapstructure:"endpoint" kind:"url" required:"true" doc:"URL of the collector: http://host:4317, or https:// for TLS."`
	Headers     map[string]Secret `mapstructure:"headers" doc:"Metadata of every call."`
	TLS         *TLS              `mapstructure:"tls" doc:"Trust roots and client certificate."`
	Compression string            `mapstructure:"compression" enum:"none,gzip" default:"none" doc:"Message compression."`
	Timeout     time.Duration     `mapstructure:"timeout" min:"1" default:"10s" doc:"Time for one call."`
}

// TLS names PEM files. The certificate and its key come together.
type TLS struct {
	CACertificate     string `mapstructure:"ca-certificate" kind:"file" doc:"The only roots to trust, in place of the system's."`
	ClientCertificate string `mapstructure:"client-certificate" kind:"file" doc:"Certificate to present."`
	ClientPrivateKey  string `mapstructure:"client-private-key" kind:"key" doc:"Its private key, unencrypted."`
}

// Ignored marks a key that a table copied from Codex may contain and the proxy has no use for. Its value is checked
// for Codex's shape, reported as a warning and forgotten.
type Ignored struct{}
