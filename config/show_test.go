package config

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
)

func TestTOMLLoadsAsTheSame(t *testing.T) {
	files, err := filepath.Glob("testdata/accepted/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	codex, err := filepath.Glob("testdata/codex/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(append(files, codex...), "") {
		t.Run(file, func(t *testing.T) {
			env := []string{"OTLP_TOKEN=token"}
			// A masked URL is no URL, a masked key too short.
			overrides := map[string]string{"upstream.proxy": "", "content.hash_key": ""}
			cfg, _ := mustLoad(t, Options{File: file, Env: env, Overrides: overrides})
			shown, err := cfg.TOML()
			if err != nil {
				t.Fatal(err)
			}
			again, warnings := mustLoad(t, Options{File: document(t, string(shown)), Env: env})
			if len(warnings) != 0 {
				t.Errorf("warnings = %v; want none", warnings)
			}
			mask(&cfg.OTel.Exporter)
			equal(t, again, cfg)
		})
	}
}

// mask replaces header values by what TOML shows for them.
func mask(e *Exporter) {
	headers := map[string]Secret{}
	switch {
	case e.HTTP != nil:
		headers = e.HTTP.Headers
	case e.GRPC != nil:
		headers = e.GRPC.Headers
	}
	for name := range headers {
		headers[name] = redacted
	}
}

func TestTOMLMasksCredentials(t *testing.T) {
	file := document(t, `
guard.allowed_hosts = ["${HOST}.example"]
upstream.proxy = "http://user:sk-c4n4ry@proxy.example.com:3128"
content = { prompts = "hash", hash_key = "sk-c4n4ry sk-c4n4ry" }
[otel]
environment = "$${x} ${STAGE:-dev} ${HOST}"
[otel.exporter.otlp-http]
endpoint = "https://${HOST}/v1/logs?key=sk-c4n4ry"
protocol = "json"
headers = { "Authorization" = "Bearer sk-c4n4ry", "x.y" = "${HOST}" }
`)
	cfg, _ := mustLoad(t, Options{File: file, Env: []string{"HOST=sk-c4n4ry.host"}})
	shown, err := cfg.TOML()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(shown), canary) {
		t.Errorf("TOML() shows a secret:\n%s", shown)
	}
	for _, want := range []string{
		`allowed_hosts = ["${HOST}.example"]`,
		`hash_key = "[REDACTED]"`,
		`proxy = "http://[REDACTED]@proxy.example.com:3128"`,
		`environment = "$${x} ${STAGE:-dev} ${HOST}"`,
		`endpoint = "https://${HOST}/v1/logs?[REDACTED]"`,
		`headers = { "Authorization" = "[REDACTED]", "x.y" = "[REDACTED]" }`,
	} {
		if !strings.Contains(string(shown), want) {
			t.Errorf("TOML() lacks %s:\n%s", want, shown)
		}
	}
}

// TestTOMLQuotesAnything builds a configuration by hand, with text that needs every kind of escape.
func TestTOMLQuotesAnything(t *testing.T) {
	cfg := Default()
	cfg.OTel.Environment = "a\"b\\c\n\r\t\x00\x1f\x7f\u0085é😀 ${NOT}"
	shown, err := cfg.TOML()
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct{ Otel struct{ Environment string } }
	if err := toml.Unmarshal(shown, &parsed); err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(cfg.OTel.Environment, "${", "$${", 1); parsed.Otel.Environment != want {
		t.Errorf("environment = %q; want %q", parsed.Otel.Environment, want)
	}
}

func TestMaskURL(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"https://h/p":               "https://h/p",
		"https://u@h/p":             "https://[REDACTED]@h/p",
		"https://u:p@ss@h/p":        "https://[REDACTED]@h/p",
		"https://u:${P}@h?k=v":      "https://[REDACTED]@h?[REDACTED]",
		"${P:-http://u:p@h}":        "${P:-http://[REDACTED]@h}",
		"${SCHEME_AND_USER}:p@h/?q": "[REDACTED]@h/?[REDACTED]",
	} {
		if got := maskURL(in); got != want {
			t.Errorf("maskURL(%q) = %q; want %q", in, got, want)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 30 * time.Second: "30s", 2 * time.Minute: "2m", 10 * time.Minute: "10m", 90 * time.Second: "1m30s",
		time.Hour: "1h", 20 * time.Hour: "20h", time.Hour + time.Second: "1h0m1s", 1500 * time.Millisecond: "1.5s",
	} {
		got := formatDuration(d)
		if got != want {
			t.Errorf("formatDuration(%v) = %q; want %q", d, got, want)
		}
		if parsed, err := time.ParseDuration(got); err != nil || parsed != d {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", got, parsed, err, d)
		}
	}
}
