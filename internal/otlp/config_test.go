package otlp

import (
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
)

func TestNewReportsEveryProblem(t *testing.T) {
	_, err := New(Config{
		Protocol: ProtocolGRPC,
		Endpoint: "ftp://user:" + canary + "@host",
		Headers: map[string]string{
			"bad name": canary, "x-newline": canary + "\n", "grpc-timeout": canary, "x-latin": canary + "é", "x-good": "1", "x-data-bin": "é",
		},
	})
	if err == nil {
		t.Fatal("New() = nil; want an error")
	}
	for _, want := range []string{"endpoint", `"bad name"`, `"x-newline"`, `"grpc-timeout"`, `"x-latin"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v; want it to name %s", err, want)
		}
	}
	for _, no := range []string{canary, "x-good", "x-data-bin"} {
		if strings.Contains(err.Error(), no) {
			t.Errorf("New() = %v; want nothing of %s", err, no)
		}
	}
}

func TestNewChecksEndpoint(t *testing.T) {
	for endpoint, ok := range map[string]bool{
		"http://127.0.0.1:4318/v1/logs":  true,
		"https://otel.example.com":       true,
		"http://[::1]:4318":              true,
		"http://user:pass@host/v1/logs":  true,
		"":                               false,
		"localhost:4318":                 false,
		"http://":                        false,
		"http://:4318":                   false,
		"unix:///tmp/socket":             false,
		"http://host/%zz":                false,
		"http://user:secret@host\x7f/":   false,
		"https://user:secret@[::1/v1":    false,
		"http://user:secret@host:port/v": false,
	} {
		x, err := New(Config{Endpoint: endpoint})
		if (err == nil) != ok {
			t.Errorf("New(%q) = %v; want ok %t", endpoint, err, ok)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("New(%q) tells a credential: %v", endpoint, err)
		}
		if x != nil {
			x.Close()
		}
	}
	if _, err := New(Config{Protocol: ProtocolGRPC, Endpoint: "http://user:pass@host:4317"}); err == nil {
		t.Error("New() with user and password for gRPC = nil; want an error")
	}
	if _, err := New(Config{Protocol: 9, Endpoint: "http://host"}); err == nil {
		t.Error("New() with protocol 9 = nil; want an error")
	}
	if _, err := New(Config{Endpoint: "http://host", UserAgent: "a\nb"}); err == nil {
		t.Error("New() with a newline in the user agent = nil; want an error")
	}
}

func TestBatchLimitsHaveACeiling(t *testing.T) {
	if got := (BatchLimits{MaxBytes: 64 << 20}).withDefaults().MaxBytes; got != 1<<20 {
		t.Errorf("MaxBytes = %d; want 1 MiB at most", got)
	}
}

func TestHostHeader(t *testing.T) {
	s := newHTTPSender(Config{Headers: map[string]string{
		"host": "tenant.example", "content-type": "text/plain", "content-encoding": "br", "user-agent": "mine",
	}, UserAgent: "ours"})
	if s.host != "tenant.example" {
		t.Errorf("host = %q; want tenant.example", s.host)
	}
	if got := s.header; got.Get("Content-Type") != contentTypeProto || got.Get("Content-Encoding") != "" || got.Get("User-Agent") != "mine" {
		t.Errorf("header = %v; want the body's own type, no encoding, the configured agent", got)
	}
}

func TestScrubber(t *testing.T) {
	s := &scrubber{secrets: []string{"token-12345", "token"}}
	if got, want := s.clean(" bad\ttoken-12345\x00 token\n"), "bad [REDACTED]  [REDACTED]"; got != want {
		t.Errorf("clean() = %q; want %q", got, want)
	}
	if got := s.clean(strings.Repeat("ä", 300)); got != strings.Repeat("ä", 200)+"…" {
		t.Errorf("clean() = %q; want 200 characters", got)
	}
}

func TestLoggersAreBounded(t *testing.T) {
	x := openScripted(Config{}, &scripted{replies: []reply{{}}})
	defer x.Close()
	stay := &events.Resource{ServiceName: "stays"}
	kept := x.loggers.get(stay)
	for i := range 10 * maxLoggers {
		x.loggers.get(&events.Resource{ServiceName: "comes and goes", ServiceVersion: strings.Repeat("x", i)})
		if x.loggers.get(&events.Resource{ServiceName: "stays"}) != kept {
			t.Fatalf("logger in use was forgotten after %d others", i)
		}
	}
	if got := len(x.loggers.items); got != maxLoggers {
		t.Errorf("%d loggers remembered; want %d", got, maxLoggers)
	}
}
