package codexcli

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// apiKeyVariable is the environment variable that the generated provider takes its key from.
const apiKeyVariable = "MOCK_API_KEY"

// Config is what a run of the CLI depends on. BaseURL is required; the zero value of the rest is a run without telemetry.
type Config struct {
	BaseURL       string            // of the Responses API, with /v1: requests go to BaseURL + "/responses"
	Model         string            // empty: gpt-5-codex
	APIKey        string            // empty: sk-test
	WebSockets    bool              // offer WebSocket to the provider first; 0.45.0 knows none
	Retries       int               // of a request and of a stream, each; Codex's own defaults are 4 and 5
	Exporter      Exporter          // of Codex's own telemetry; the zero value exports nothing
	LogUserPrompt bool              // whether its telemetry carries prompts
	ExportAtOnce  bool              // rather than each second, so that a run that fails loses less
	Approval      string            // approval_policy; empty: never
	Sandbox       string            // sandbox_mode; empty: danger-full-access
	Keys          string            // further TOML keys, above the tables
	Features      string            // further keys of the table [features], in TOML
	Extra         string            // further TOML tables, appended
	Args          []string          // further arguments of "codex exec", before the prompt
	Files         map[string]string // content of files in the workspace, by their path in it
	Home          *Home             // nil: a new one
	Env           []string          // further environment variables as KEY=value
	Timeout       time.Duration     // of a run, which is killed then; zero: a minute. A run takes about a second
}

// Exporter is the value of exporter in Codex's table [otel].
type Exporter struct {
	Kind     string            // otlp-http or otlp-grpc; empty: none
	Endpoint string            // for otlp-http the URL that is posted to, for otlp-grpc scheme, host and port
	Protocol string            // binary or json; otlp-http only
	Headers  map[string]string // sent with every export
	CAFile   string            // PEM file to trust instead of the system's roots; unknown to 0.45.0
}

// HTTPExporter exports to url in protocol, which is binary or json.
func HTTPExporter(url, protocol string) Exporter {
	return Exporter{Kind: "otlp-http", Endpoint: url, Protocol: protocol}
}

// GRPCExporter exports to endpoint, a scheme, host and port.
func GRPCExporter(endpoint string) Exporter {
	return Exporter{Kind: "otlp-grpc", Endpoint: endpoint}
}

// OTelTable is the table [otel] with its header, in TOML. codex-proxy reads the same table, so a test can give both the same.
func (c *Config) OTelTable() string {
	return "[otel]\n" +
		"environment = \"staging\"\n" +
		"exporter = " + c.Exporter.toml() + "\n" +
		"log_user_prompt = " + strconv.FormatBool(c.LogUserPrompt) + "\n"
}

// toml is the exporter in TOML. Headers are always there, since 0.45.0 insists on them.
func (e *Exporter) toml() string {
	if e.Kind == "" {
		return `"none"`
	}
	var b strings.Builder
	b.WriteString("{ " + e.Kind + " = { endpoint = " + quote(e.Endpoint))
	if e.Protocol != "" {
		b.WriteString(", protocol = " + quote(e.Protocol))
	}
	b.WriteString(", headers = {")
	separator := " "
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		b.WriteString(separator + quote(name) + " = " + quote(e.Headers[name]))
		separator = ", "
	}
	b.WriteString(" }")
	if e.CAFile != "" {
		b.WriteString(", tls = { ca-certificate = " + quote(e.CAFile) + " }")
	}
	b.WriteString(" } }")
	return b.String()
}

// toml is the whole config.toml. What would contact anybody but the provider and the collector is switched off; the older
// CLI does not know the switches and ignores them.
func (c *Config) toml() string {
	retries := strconv.Itoa(c.Retries)
	return `model = ` + quote(cmp.Or(c.Model, "gpt-5-codex")) + `
model_provider = "mock"
approval_policy = ` + quote(cmp.Or(c.Approval, "never")) + `
sandbox_mode = ` + quote(cmp.Or(c.Sandbox, "danger-full-access")) + `
check_for_update_on_startup = false
` + c.Keys + `

[model_providers.mock]
name = "mock"
base_url = ` + quote(c.BaseURL) + `
env_key = "` + apiKeyVariable + `"
wire_api = "responses"
request_max_retries = ` + retries + `
stream_max_retries = ` + retries + `
stream_idle_timeout_ms = 20000
supports_websockets = ` + strconv.FormatBool(c.WebSockets) + `

[analytics]
enabled = false

[features]
apps = false
plugins = false
remote_plugin = false
unbounded_connection_retries = false
` + c.Features + `
` + c.OTelTable() + "\n" + c.Extra
}

// quote returns s as a basic string of TOML, whose escapes for what tests use are Go's.
func quote(s string) string { return strconv.Quote(s) }
