package otlp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// Protocol is a way of speaking OTLP.
type Protocol uint8

// The protocols of Codex's [otel] exporter.
const (
	ProtocolHTTPBinary Protocol = iota // otlp-http, protocol = "binary": protobuf over HTTP
	ProtocolHTTPJSON                   // otlp-http, protocol = "json": OTLP/JSON over HTTP
	ProtocolGRPC                       // otlp-grpc
)

// String returns the name that logs use.
func (p Protocol) String() string {
	switch p {
	case ProtocolHTTPJSON:
		return "http/json"
	case ProtocolGRPC:
		return "grpc"
	default:
		return "http/protobuf"
	}
}

// Config says where records go and how. All but Endpoint has a default.
type Config struct {
	Protocol Protocol
	// Endpoint is the collector's URL. HTTP posts to it as it stands, as Codex
	// does: nothing appends /v1/logs. gRPC takes host and port from it; http://
	// is plaintext, https:// is TLS.
	Endpoint string
	// Headers are sent with every request: HTTP headers, or gRPC metadata.
	Headers map[string]string
	// TLS is for https:// endpoints; nil trusts the system's roots.
	TLS  *tls.Config
	Gzip bool
	// Timeout bounds one try, not all of them; 0 means 10 s.
	Timeout time.Duration
	// UserAgent defaults to codex-proxy and the version.
	UserAgent string
	// Version is the version of the instrumentation scope; it defaults to that
	// of the main module.
	Version string
	// Encoder turns records into attributes; nil means the zero Encoder.
	Encoder *events.Encoder
	// Queue bounds what waits; it is not used with an Outbox.
	Queue QueueLimits
	Batch BatchLimits
	// Outbox keeps what waits; nil means one in memory. The Exporter closes it.
	Outbox outbox.Outbox
	// Logger takes changes of state; nil discards them.
	Logger *slog.Logger
}

// QueueLimits bound the outbox in memory. Zero fields take their defaults.
type QueueLimits struct {
	MaxRecords int // 65536
	MaxBytes   int // 64 MiB of encoded records
}

// BatchLimits bound one request. Zero fields take their defaults. A record that
// alone is larger travels alone.
type BatchLimits struct {
	// MaxBytes bounds the encoded request before compression: 1 MiB, which is
	// also the most allowed, so that gRPC's usual limit of 4 MiB is far away.
	MaxBytes   int
	MaxRecords int           // 512
	MaxDelay   time.Duration // 200 ms from a batch's first record to its seal
}

const (
	defaultTimeout = 10 * time.Second
	maxBatchBytes  = 1 << 20
)

func (l QueueLimits) withDefaults() QueueLimits {
	if l.MaxRecords <= 0 {
		l.MaxRecords = 65536
	}
	if l.MaxBytes <= 0 {
		l.MaxBytes = 64 << 20
	}
	return l
}

func (l BatchLimits) withDefaults() BatchLimits {
	if l.MaxBytes <= 0 || l.MaxBytes > maxBatchBytes {
		l.MaxBytes = maxBatchBytes
	}
	if l.MaxRecords <= 0 {
		l.MaxRecords = 512
	}
	if l.MaxDelay <= 0 {
		l.MaxDelay = 200 * time.Millisecond
	}
	return l
}

// size is what bounds one entry.
func (l BatchLimits) size() outbox.Limits {
	return outbox.Limits{MaxRecords: l.MaxRecords, MaxBytes: l.MaxBytes}
}

func (c Config) withDefaults() Config {
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Version == "" {
		if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "(devel)" {
			c.Version = info.Main.Version
		}
	}
	if c.UserAgent == "" {
		c.UserAgent = strings.TrimSuffix("codex-proxy/"+c.Version, "/")
	}
	if c.Encoder == nil {
		c.Encoder = new(events.Encoder)
	}
	c.Queue, c.Batch = c.Queue.withDefaults(), c.Batch.withDefaults()
	// The queue drops whole batches: one that fills it alone would always go.
	c.Batch.MaxRecords = min(c.Batch.MaxRecords, max(1, c.Queue.MaxRecords/4))
	c.Batch.MaxBytes = min(c.Batch.MaxBytes, max(1, c.Queue.MaxBytes/4))
	if c.Outbox == nil {
		c.Outbox = outbox.NewMemory(outbox.Limits(c.Queue), c.Batch.size())
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// validate returns the parsed endpoint, or every problem at once. Errors name
// headers but never show a value, and never show the URL, which may hold
// credentials.
func (c Config) validate() (*url.URL, error) {
	var problems []error
	endpoint, err := url.Parse(c.Endpoint)
	switch {
	case err != nil:
		problems = append(problems, errors.New("parse endpoint: not a URL"))
	case endpoint.Scheme != "http" && endpoint.Scheme != "https", endpoint.Hostname() == "":
		problems = append(problems, errors.New("parse endpoint: want http://HOST or https://HOST"))
	case c.Protocol == ProtocolGRPC && endpoint.User != nil:
		problems = append(problems, errors.New("parse endpoint: gRPC has no user and password; use a header"))
	}
	if c.Protocol > ProtocolGRPC {
		problems = append(problems, fmt.Errorf("unknown protocol %d", c.Protocol))
	}
	if !httpguts.ValidHeaderFieldValue(c.UserAgent) {
		problems = append(problems, errors.New("user agent is not a valid header value"))
	}
	names := make([]string, 0, len(c.Headers))
	for name := range c.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		problems = append(problems, c.validateHeader(name, c.Headers[name]))
	}
	return endpoint, errors.Join(problems...)
}

func (c Config) validateHeader(name, value string) error {
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return fmt.Errorf("header %q: not a valid name", name)
	case !httpguts.ValidHeaderFieldValue(value):
		return fmt.Errorf("header %q: not a valid value", name)
	case c.Protocol != ProtocolGRPC || strings.HasSuffix(strings.ToLower(name), "-bin"):
		return nil
	case strings.HasPrefix(strings.ToLower(name), "grpc-"):
		return fmt.Errorf("header %q: names that start with grpc- are reserved", name)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
		return fmt.Errorf("header %q: gRPC metadata takes printable ASCII only", name)
	}
	return nil
}
