package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// equal compares configurations as a user of the package sees them.
func equal(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("configuration differs (-want +got):\n%s", diff)
	}
}

// document writes a configuration file and returns its name.
func document(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func mustLoad(t *testing.T, opts Options) (*Config, Warnings) {
	t.Helper()
	cfg, warnings, err := Load(opts)
	if err != nil {
		t.Fatalf("Load() = %v; want no error", err)
	}
	return cfg, warnings
}

// wantProblems compares the lines of an error.
func wantProblems(t *testing.T, err error, want ...string) {
	t.Helper()
	var got []string
	if err != nil {
		got = strings.Split(err.Error(), "\n")
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("problems differ (-want +got):\n%s", diff)
	}
}

func TestLoadNothingIsDefault(t *testing.T) {
	cfg, warnings := mustLoad(t, Options{})
	equal(t, *cfg, Default())
	if len(warnings) != 0 {
		t.Errorf("warnings = %v; want none", warnings)
	}
	if !cfg.OTel.Exporter.None() {
		t.Error("Exporter.None() = false; want true")
	}
}

func TestLoadEveryKey(t *testing.T) {
	cfg, warnings := mustLoad(t, Options{File: "testdata/accepted/full.toml"})
	state, err := filepath.Abs("testdata/accepted/state")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, *cfg, Config{
		Listen: "0.0.0.0:9000", AllowRemote: true,
		Guard: Guard{
			AllowedHosts:   []string{"proxy.example.com", "proxy.example.com:9000", "[fd00::1]:9000", "10.0.0.7"},
			AllowedOrigins: []string{"https://console.example.com", "http://localhost:3000", "vscode-webview://abc"},
		},
		Upstream: Upstream{
			BaseURL: "https://gateway.example.com/openai/v1", ChatGPTBaseURL: "https://chatgpt.example.com/backend-api/codex",
			WebSocket: WebSocketOff, Proxy: "http://user:password@proxy.example.com:3128",
			DialTimeout: 3 * time.Second, TLSHandshakeTimeout: 2500 * time.Millisecond,
			ResponseHeaderTimeout: 90 * time.Minute, IdleConnTimeout: 500 * time.Millisecond, ForwardedFor: true,
		},
		Server: Server{ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, FlushTimeout: 10 * time.Second},
		OTel: OTel{
			Environment: "prod", LogUserPrompt: true, ServiceName: "my-agent", Schema: SchemaCodex, SSEEvents: SSEEventsLifecycle,
			Exporter: Exporter{HTTP: &OTLPHTTP{
				Endpoint: "https://otel.example.com/v1/logs", Protocol: ProtocolJSON, Compression: CompressionGzip,
				Headers: map[string]Secret{"X-Api-Key": "k", "x.dotted.header": "d"}, Timeout: 5 * time.Second,
			}},
		},
		Content: Content{
			Prompts: ContentFull, Arguments: ContentHash, Outputs: ContentOff, MaxPromptBytes: 64, MaxArgumentsBytes: 65, MaxOutputBytes: 524288,
			HashKey: "0123456789abcdef",
		},
		Tap:    Tap{MaxEventBytes: 1, MaxRequestBytes: 1000, MaxResponseBytes: 1024},
		Report: Report{MaxBodyBytes: 1024, MaxFieldBytes: 512, MaxItems: 1, MergeGrace: 750 * time.Millisecond},
		Live:   Live{RingEvents: 1, RingBytes: 1, MaxClients: 1},
		Queue:  Queue{MaxRecords: 1, MaxBytes: 1},
		Store:  Store{Dir: state, MaxBytes: 4 << 20, MaxAge: 36 * time.Hour},
		Log:    Log{Level: "debug", Format: "json"},
	})
	if len(warnings) != 0 {
		t.Errorf("warnings = %v; want none", warnings)
	}
}

func TestStoreDir(t *testing.T) {
	working, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		"auto": "auto", "memory": "memory", "": "", "/var/lib/x": "/var/lib/x", "./memory": filepath.Join(working, "memory"), "~/x": "/home/me/x",
	} {
		cfg, _ := mustLoad(t, Options{Env: []string{"HOME=/home/me"}, Overrides: map[string]string{"store.dir": dir}})
		if cfg.Store.Dir != want || cfg.Store.InMemory() != (dir == "" || dir == "memory") {
			t.Errorf("dir %q = %q, in memory %v; want %q", dir, cfg.Store.Dir, cfg.Store.InMemory(), want)
		}
	}
}

// TestLoadLayers follows one key through all four sources.
func TestLoadLayers(t *testing.T) {
	opts := Options{}
	check := func(want string) {
		t.Helper()
		if cfg, _ := mustLoad(t, opts); cfg.OTel.Environment != want {
			t.Errorf("environment = %q; want %q", cfg.OTel.Environment, want)
		}
	}
	check("dev")
	opts.File = document(t, `otel = { environment = "file" }`)
	check("file")
	opts.Env = []string{"CODEX_PROXY_OTEL_ENVIRONMENT=env"}
	check("env")
	opts.Overrides = map[string]string{"otel.environment": "flag"}
	check("flag")
	opts.Overrides = map[string]string{"otel.environment": ""}
	check("")
	opts.Overrides = nil
	opts.Env = append(opts.Env, "CODEX_PROXY_OTEL_ENVIRONMENT=")
	check("file")
}

// TestLoadDocuments runs the corpora. A refused document begins with its problems as comments.
func TestLoadDocuments(t *testing.T) {
	for _, pattern := range []string{"accepted", "codex", "refused", "meaning"} {
		names, err := filepath.Glob("testdata/" + pattern + "/*.toml")
		if err != nil || len(names) == 0 {
			t.Fatalf("Glob(%q) = %v, %v; want documents", pattern, names, err)
		}
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				_, _, err := Load(Options{File: name, Env: []string{"OTLP_TOKEN=token"}})
				wantProblems(t, err, expected(t, name, pattern)...)
			})
		}
	}
}

func expected(t *testing.T, name, corpus string) []string {
	t.Helper()
	if corpus == "accepted" || corpus == "codex" {
		return nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if problem, ok := strings.CutPrefix(line, "# "); ok {
			lines = append(lines, strings.ReplaceAll(strings.TrimSpace(problem), "DIR", dir))
		}
	}
	return lines
}
