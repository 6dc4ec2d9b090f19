// Package config turns a TOML file, the environment and the caller's overrides into one validated [Config].
//
// [Load] layers four sources, the later one winning key by key: [Default], the file, environment variables
// (CODEX_PROXY_LISTEN for listen, CODEX_PROXY_OTEL_ENVIRONMENT for otel.environment, and so on for every key),
// and [Options.Overrides]. The [otel] table is Codex's own: an exporter copied from a Codex config.toml works as it is.
//
// All problems are reported together as [Problems], each with its TOML path. No message ever contains a value:
// a value may be a credential, and what was expected is enough to mend it.
//
// # Strings
//
// In every string ${NAME} stands for an environment variable and ${NAME:-default} for one that may be unset or
// empty; $${ gives a literal ${. Nothing else is special, and an expanded value is not expanded again.
//
// # Paths
//
// A relative path in the file is relative to the file's folder, one from the environment or an override to the
// working directory; ~/ is the home directory. After Load every path is absolute.
package config

import "time"

// Config is the whole configuration. The doc tags describe the fields; the schema and the output of [Config.TOML]
// take their descriptions from them. Sizes are bytes.
type Config struct {
	Listen      string `mapstructure:"listen" doc:"Address to listen on, host:port. Port 0 takes any free port."`
	AllowRemote bool   `mapstructure:"allow_remote" doc:"Allow listen to be an address other machines can reach. There is no inbound authentication."`

	Guard    Guard    `mapstructure:"guard" doc:"Which callers are let in, beside programs on this machine."`
	Upstream Upstream `mapstructure:"upstream" doc:"Where requests are forwarded to."`
	Server   Server   `mapstructure:"server" doc:"Time limits of the listener. Streams have none."`
	OTel     OTel     `mapstructure:"otel" doc:"The table Codex has under the same name, and what to record."`
	Content  Content  `mapstructure:"content" doc:"What is told of prompts, and of the arguments and outputs of tools."`
	Tap      Tap      `mapstructure:"tap" doc:"How much of the traffic is kept for looking at. Forwarding has no limit."`
	Report   Report   `mapstructure:"report" doc:"The endpoints agents report to."`
	Live     Live     `mapstructure:"live" doc:"Limits of the live feed."`
	Queue    Queue    `mapstructure:"queue" doc:"Limits of what waits for the exporter in memory: everything, or what cannot be written to disk. Past them the oldest records are dropped and counted."`
	Store    Store    `mapstructure:"store" doc:"Where records wait for the exporter on disk, and the history. Nothing is written without an exporter unless history asks for it."`
	Log      Log      `mapstructure:"log" doc:"The proxy's own log, on standard error."`

	// written maps the path of each string that had a ${ in it to the text as configured. It is what TOML shows.
	written map[string]Secret
}

// Guard says which Host and Origin headers pass, beside the loopback names.
type Guard struct {
	AllowedHosts   []string `mapstructure:"allowed_hosts" doc:"Further Host names requests may carry, as host (any port) or host:port."`
	AllowedOrigins []string `mapstructure:"allowed_origins" doc:"Web origins that may call, as scheme://host or scheme://host:port. None by default."`
}

// Values of upstream.websocket.
const (
	WebSocketAuto = "auto"
	WebSocketOff  = "off"
)

// Upstream is the API behind the proxy and the way there.
type Upstream struct {
	BaseURL               string        `mapstructure:"base_url" kind:"url" doc:"The agent's /v1/... maps onto this URL, whatever its path is."`
	ChatGPTBaseURL        string        `mapstructure:"chatgpt_base_url" kind:"url" doc:"The same for requests of a ChatGPT login (chatgpt-account-id), such as https://chatgpt.com/backend-api/codex. Empty: base_url."`
	WebSocket             string        `mapstructure:"websocket" enum:"auto,off" doc:"auto: WebSocket connections pass, and an upstream without them answers 426, so that Codex falls back to HTTP at once. off: all get 426."`
	CACertificate         string        `mapstructure:"ca_certificate" kind:"file" doc:"PEM file of the only roots to trust upstream, in place of the system's. Empty: the system's roots."`
	Proxy                 Secret        `mapstructure:"proxy" kind:"url" doc:"Outbound HTTP proxy, an http:// or https:// URL. Empty: none; the HTTP_PROXY variables are not read, they may lead back here."`
	DialTimeout           time.Duration `mapstructure:"dial_timeout" min:"1" doc:"Time to connect."`
	TLSHandshakeTimeout   time.Duration `mapstructure:"tls_handshake_timeout" min:"1" doc:"Time for the TLS handshake."`
	ResponseHeaderTimeout time.Duration `mapstructure:"response_header_timeout" min:"0" doc:"Time until the response's headers. 0s: no limit, since reasoning models think for minutes."`
	IdleConnTimeout       time.Duration `mapstructure:"idle_conn_timeout" min:"1" doc:"How long an unused connection is kept."`
	ForwardedFor          bool          `mapstructure:"forwarded_for" doc:"Add X-Forwarded-For, which tells upstream the agent's address."`
}

// Server bounds what a client may keep waiting, and what a shutdown waits for.
type Server struct {
	ReadHeaderTimeout time.Duration `mapstructure:"read_header_timeout" min:"1" doc:"Time a client has to send its request headers."`
	IdleTimeout       time.Duration `mapstructure:"idle_timeout" min:"1" doc:"How long a client connection is kept that sends nothing: between two requests, or in the middle of one that is not answered yet."`
	ShutdownGrace     time.Duration `mapstructure:"shutdown_grace" min:"0" doc:"Time live streams get to finish after SIGTERM. 0s cuts them at once."`
	FlushTimeout      time.Duration `mapstructure:"flush_timeout" min:"1" doc:"Time to send the remaining telemetry after the last stream."`
}

// Tap bounds the copies that are looked at.
type Tap struct {
	MaxEventBytes    int `mapstructure:"max_event_bytes" min:"1" max:"1073741824" doc:"Largest SSE event looked into as a whole. Of a larger one beginning and end are, which has the usage, and it is counted."`
	MaxRequestBytes  int `mapstructure:"max_request_bytes" min:"1" max:"1073741824" doc:"Most bytes that a compressed request body is decoded to for looking into. Others are read as they pass, whatever their size."`
	MaxResponseBytes int `mapstructure:"max_response_bytes" min:"1" max:"1073741824" doc:"Largest response body looked into that is not a stream."`
}

// Report bounds POST /codex-proxy/v1/events and /codex-proxy/v1/logs, and says how what comes there is merged.
type Report struct {
	MaxBodyBytes  int           `mapstructure:"max_body_bytes" min:"1" max:"1073741824" doc:"Largest request body."`
	MaxFieldBytes int           `mapstructure:"max_field_bytes" min:"1" max:"1073741824" doc:"Largest single field. An exported log record may have twice as much."`
	MaxItems      int           `mapstructure:"max_items" min:"1" max:"1000000" doc:"Most items, or exported log records, in one request."`
	MergeGrace    time.Duration `mapstructure:"merge_grace" min:"0" doc:"How long prompts, tool decisions, tool results and starts of conversations wait for the agent's report, or the traffic, to tell the same. 0s: they do not wait, and what tells the same later is left out."`
}

// Live bounds the live feed and the ring it resumes from.
type Live struct {
	RingEvents int `mapstructure:"ring_events" min:"1" max:"1048576" doc:"Most events kept for readers that come back."`
	RingBytes  int `mapstructure:"ring_bytes" min:"1" max:"1073741824" doc:"Most bytes kept for readers that come back."`
	MaxClients int `mapstructure:"max_clients" min:"1" max:"65536" doc:"Most readers at a time."`
}

// Queue bounds the records waiting for the exporter.
type Queue struct {
	MaxRecords int `mapstructure:"max_records" min:"1" max:"16777216" doc:"Most records waiting."`
	MaxBytes   int `mapstructure:"max_bytes" min:"1" max:"1073741824" doc:"Most bytes waiting."`
}

// Values of store.dir that are no directories. A directory of that name is written ./auto or ./memory.
const (
	StoreAuto   = "auto"
	StoreMemory = "memory"
)

// Store bounds what waits for the exporter on disk.
type Store struct {
	Dir      string        `mapstructure:"dir" kind:"state" doc:"State directory, for one process at a time. auto: $XDG_STATE_HOME/codex-proxy, or ~/.local/state/codex-proxy. memory, or empty: nothing on disk; what waits is lost at the end."`
	MaxBytes int           `mapstructure:"max_bytes" min:"4194304" max:"1099511627776" doc:"Most bytes on disk. Past them history is dropped, then deltas, then the oldest records, and counted."`
	MaxAge   time.Duration `mapstructure:"max_age" min:"1" doc:"How long a record may wait, or be history, on disk."`
	History  bool          `mapstructure:"history" doc:"Keep what was recorded, for codex-proxy export, also without an exporter."`
}

// InMemory reports whether nothing is to be kept on disk.
func (s Store) InMemory() bool { return s.Dir == "" || s.Dir == StoreMemory }

// Log is the proxy's own log.
type Log struct {
	Level  string `mapstructure:"level" enum:"debug,info,warn,error" doc:"Least severe level written."`
	Format string `mapstructure:"format" enum:"text,json" doc:"One line of text or one JSON object per message."`
}

// Default returns the configuration of a local proxy that exports nothing.
func Default() Config {
	return Config{
		Listen: "127.0.0.1:8787",
		Upstream: Upstream{
			BaseURL:             "https://api.openai.com/v1",
			WebSocket:           WebSocketAuto,
			DialTimeout:         10 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second,
			IdleConnTimeout:     45 * time.Second,
		},
		Server: Server{
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       2 * time.Minute,
			ShutdownGrace:     30 * time.Second,
			FlushTimeout:      5 * time.Second,
		},
		OTel: OTel{Environment: "dev", ServiceName: "codex-cli", Schema: SchemaTyped, SSEEvents: SSEEventsAll},
		Content: Content{
			Prompts: ContentAuto, Arguments: ContentFull, Outputs: ContentFull,
			MaxPromptBytes: 512 << 10, MaxArgumentsBytes: 512 << 10, MaxOutputBytes: 512 << 10, RedactCredentials: true,
		},
		Tap:    Tap{MaxEventBytes: 16 << 20, MaxRequestBytes: 128 << 20, MaxResponseBytes: 8 << 20},
		Report: Report{MaxBodyBytes: 4 << 20, MaxFieldBytes: 1 << 20, MaxItems: 1000, MergeGrace: 2 * time.Second},
		Live:   Live{RingEvents: 2048, RingBytes: 8 << 20, MaxClients: 64},
		Queue:  Queue{MaxRecords: 65536, MaxBytes: 64 << 20},
		Store:  Store{Dir: StoreAuto, MaxBytes: 1 << 30, MaxAge: 7 * 24 * time.Hour},
		Log:    Log{Level: "info", Format: "text"},
	}
}
