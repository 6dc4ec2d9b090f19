package config

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestEnvironmentNames has every key's variable, so that renaming a field cannot rename one unseen.
func TestEnvironmentNames(t *testing.T) {
	seen := map[string]string{}
	for _, n := range root().settings() {
		name := n.variable()
		if other, ok := seen[name]; ok {
			t.Errorf("%s sets both %s and %s", name, other, n.path)
		}
		seen[name] = n.path
		if serviceLink.MatchString(name) {
			t.Errorf("%s would be taken for a service link", name)
		}
	}
	for name, path := range map[string]string{
		"CODEX_PROXY_LISTEN":               "listen",
		"CODEX_PROXY_OTEL_ENVIRONMENT":     "otel.environment",
		"CODEX_PROXY_OTEL_LOG_USER_PROMPT": "otel.log_user_prompt",
		"CODEX_PROXY_OTEL_EXPORTER":        "otel.exporter",
		"CODEX_PROXY_UPSTREAM_BASE_URL":    "upstream.base_url",
		"CODEX_PROXY_TAP_MAX_EVENT_BYTES":  "tap.max_event_bytes",
	} {
		if seen[name] != path {
			t.Errorf("%s sets %q; want %q", name, seen[name], path)
		}
	}
}

// TestEnvironmentSetsEveryKey gives each key a value through its variable and through an override.
func TestEnvironmentSetsEveryKey(t *testing.T) {
	defaults := Default()
	for _, n := range root().settings() {
		value := map[kind]string{
			kindBool: "true", kindInt: "3", kindDuration: "3s", kindList: "a.example,b.example",
			kindExporter: `{ otlp-grpc = { endpoint = "http://h:1" } }`, kindString: "x",
		}[n.kind]
		switch {
		case n.enum != nil:
			value = n.enum[len(n.enum)-1]
		case n.path == "content.redact_credentials":
			value = "false"
		case n.path == "content.hash_key":
			value = "0123456789abcdef"
		case n.path == "listen":
			value = "127.0.0.1:3"
		case n.kind == kindInt && n.min > 3:
			value = strconv.FormatInt(n.min, 10)
		case n.role == "url":
			value = "http://h:3"
		case n.role == "file":
			value = t.TempDir() + "/ca.pem"
			writePair(t, value, value+".key")
		case n.path == "guard.allowed_origins":
			value = "https://a.example"
		}
		for source, opts := range map[string]Options{
			"variable": {Env: []string{n.variable() + "=" + value}},
			"override": {Overrides: map[string]string{n.path: value}},
		} {
			cfg, _, err := Load(opts)
			wantProblems(t, err)
			if err != nil {
				continue
			}
			shown, err := cfg.TOML()
			if err != nil {
				t.Fatal(err)
			}
			unchanged, err := defaults.TOML()
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(shown, unchanged) {
				t.Errorf("%s of %s changed nothing", source, n.path)
			}
		}
	}
}

func TestEnvironmentProblems(t *testing.T) {
	_, _, err := Load(Options{
		Env: []string{
			"CODEX_PROXY_LISTEN=nowhere",
			"CODEX_PROXY_OTEL_LOG_USER_PROMPT=maybe",
			"CODEX_PROXY_LIVE_MAX_CLIENTS=many",
			"CODEX_PROXY_QUEUE_MAX_BYTES=0",
			"CODEX_PROXY_LOG_LEVEL=debugg",
			"CODEX_PROXY_OTEL_EXPORTER={ otlp-http = ",
			"CODEX_PROXY_OTEL_ENVIRNMENT=dev",
			"CODEX_PROXY_PORT=9000",
			"CODEX_PROXY_SOMETHING_ELSE_ALTOGETHER=1",
			"CODEX_PROXY_UNSET=",
			"malformed",
		},
		Overrides: map[string]string{"log.levl": "debug", "otel.exporter.otlp-http.endpoint": "x", "queue.max_records": "1e3"},
	})
	wantProblems(t, err,
		"otel.exporter: is no inline TOML table, set by CODEX_PROXY_OTEL_EXPORTER ("+exporterHint+")",
		"otel.log_user_prompt: want true or false, set by CODEX_PROXY_OTEL_LOG_USER_PROMPT",
		"live.max_clients: want an integer, set by CODEX_PROXY_LIVE_MAX_CLIENTS",
		"queue.max_bytes: is zero, set by CODEX_PROXY_QUEUE_MAX_BYTES",
		`log.level: want "debug", "info", "warn" or "error", set by CODEX_PROXY_LOG_LEVEL (did you mean debug?)`,
		"log.levl: unknown setting on the command line (did you mean log.level?)",
		"otel.exporter.otlp-http.endpoint: unknown setting on the command line",
		"queue.max_records: want an integer, set by the command line",
		"CODEX_PROXY_OTEL_ENVIRNMENT: unknown environment variable (did you mean CODEX_PROXY_OTEL_ENVIRONMENT?)",
		"CODEX_PROXY_PORT: unknown environment variable",
		"CODEX_PROXY_SOMETHING_ELSE_ALTOGETHER: unknown environment variable",
		`listen: is not host:port, set by CODEX_PROXY_LISTEN (write host:port, such as "127.0.0.1:8787")`,
	)
}

// TestEnvironmentOfOthers has variables that carry the prefix by accident, and one that a reference uses.
func TestEnvironmentOfOthers(t *testing.T) {
	cfg, _ := mustLoad(t, Options{
		File: document(t, `otel.environment = "${CODEX_PROXY_STAGE}"`),
		Env: []string{
			"CODEX_PROXY_STAGE=blue",
			"CODEX_PROXY_SERVICE_HOST=10.0.0.1",
			"CODEX_PROXY_SERVICE_PORT=8787",
			"CODEX_PROXY_SERVICE_PORT_HTTP=8787",
			"CODEX_PROXY_PORT=tcp://10.0.0.1:8787",
			"CODEX_PROXY_PORT_8787_TCP=tcp://10.0.0.1:8787",
			"CODEX_PROXY_PORT_8787_TCP_PROTO=tcp",
			"CODEX_PROXY_PORT_8787_TCP_PORT=8787",
			"CODEX_PROXY_PORT_8787_TCP_ADDR=10.0.0.1",
			"CODEX_PROXY_CANARY_SERVICE_HOST=10.0.0.2",
			"CODEX_PROXY_CANARY_PORT=tcp://10.0.0.2:8787",
			"codex_proxy_listen=lower case is another name",
		},
	})
	if cfg.OTel.Environment != "blue" {
		t.Errorf("environment = %q; want %q", cfg.OTel.Environment, "blue")
	}
}

// TestEnvironmentReplacesUnsetReference: a token nobody needs does not have to be there.
func TestEnvironmentReplacesUnsetReference(t *testing.T) {
	file := document(t, `otel.exporter.otlp-grpc = { endpoint = "http://h:1", headers = { "a.b" = "${NONE}" } }`)
	cfg, _ := mustLoad(t, Options{File: file, Env: []string{"CODEX_PROXY_OTEL_EXPORTER=none"}})
	if !cfg.OTel.Exporter.None() {
		t.Errorf("exporter = %+v; want none", cfg.OTel.Exporter)
	}
	_, _, err := Load(Options{File: file, Env: []string{"CODEX_PROXY_OTEL_ENVIRONMENT=none"}})
	wantProblems(t, err, `otel.exporter.otlp-grpc.headers."a.b": environment variable NONE is unset or empty (set it, or write ${NONE:-} for an empty default)`)
}

// TestEnvironmentReplacesReference checks that a key set from outside is shown with its new value.
func TestEnvironmentReplacesReference(t *testing.T) {
	file := document(t, `otel.exporter.otlp-grpc.endpoint = "${E:-http://file:1}"`+"\nguard.allowed_hosts = ['${H:-a}']")
	cfg, _ := mustLoad(t, Options{
		File:      file,
		Env:       []string{`CODEX_PROXY_OTEL_EXPORTER={ otlp-grpc = { endpoint = "http://env:1", timeout = "1m" } }`},
		Overrides: map[string]string{"guard.allowed_hosts": "b"},
	})
	if got := cfg.OTel.Exporter.GRPC; got.Endpoint != "http://env:1" || got.Timeout != time.Minute {
		t.Errorf("exporter = %+v; want the environment's", got)
	}
	shown, err := cfg.TOML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`endpoint = "http://env:1"`, `allowed_hosts = ["b"]`} {
		if !strings.Contains(string(shown), want) {
			t.Errorf("TOML() lacks %s:\n%s", want, shown)
		}
	}
}
