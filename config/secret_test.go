package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// canary is the credential that must not come out anywhere.
const canary = "sk-c4n4ry"

func TestSecretUnderEveryVerb(t *testing.T) {
	s := Secret(canary)
	holder := struct {
		S Secret
		P *Secret
		M map[string]Secret
	}{s, &s, map[string]Secret{"k": s}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%08.3f"} {
		for _, value := range []any{s, &s, holder, []Secret{s}} {
			if got := fmt.Sprintf(verb, value); strings.Contains(got, canary) || strings.Contains(got, fmt.Sprintf("%x", canary)) {
				t.Errorf("Sprintf(%q, %T) = %q", verb, value, got)
			}
		}
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", slog.Any("secret", s), slog.Any("holder", holder))
	slog.New(slog.NewTextHandler(&logged, nil)).Info("m", slog.Any("secret", s), slog.Any("holder", holder))
	asJSON, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{
		"log": logged.String(), "JSON": string(asJSON), "String": s.String(), "GoString": s.GoString(),
	} {
		if strings.Contains(got, canary) || !strings.Contains(got, redacted) {
			t.Errorf("%s = %q; want %s and no secret", name, got, redacted)
		}
	}
	if s.Reveal() != canary {
		t.Errorf("Reveal() = %q; want the value", s.Reveal())
	}
}

// TestNoValueInAnyProblem puts the canary into every key, literally and through a variable, from each source, alone
// and inside values that go wrong in different ways. Literal file names are the one thing a message repeats.
func TestNoValueInAnyProblem(t *testing.T) {
	shapes := []string{
		canary, canary + "\n", "http://" + canary, "http://u:" + canary + "@h", "http://u:" + canary + "@h:x", "https://h/\x7f" + canary,
		"grpc://" + canary + "@h", "http://[" + canary, "http://h:" + canary, "127.0.0.1:" + canary, canary + ":1", "${" + canary + "}",
		"${A" + canary, "-----BEGIN " + canary, `{ otlp-http = ` + canary, `{ otlp-http = { endpoint = "` + canary + `" } }`,
		`{ otlp-http = { endpoint = "https://u:` + canary + `@h", protocol = "` + canary + `", headers = { a = "` + canary + `\n" } } }`,
		`{ otlp-grpc = { endpoint = "` + canary + `", headers = { "` + canary + ` x" = "y", "y" = "` + canary + `\u00e9" } } }`,
		"10" + canary, "1" + strings.Repeat("0", 30) + canary,
	}
	problems := 0
	check := func(what string, opts Options) {
		t.Helper()
		cfg, warnings, err := Load(opts)
		if err != nil {
			problems++
			if strings.Contains(err.Error(), canary) || strings.Contains(fmt.Sprintf("%+v %#v", err, err), canary) {
				t.Errorf("%s: error = %v", what, err)
			}
		}
		if strings.Contains(fmt.Sprintf("%+v", warnings), canary) {
			t.Errorf("%s: warnings = %v", what, warnings)
		}
		if cfg != nil && what == "reference" {
			if shown, err := cfg.TOML(); err != nil || strings.Contains(string(shown), canary) {
				t.Errorf("%s: TOML() = %s, %v", what, shown, err)
			}
		}
	}
	for _, n := range root().settings() {
		for _, shape := range shapes {
			literal := n.path + " = " + quote(shape) + "\n"
			env := []string{"V=" + shape}
			check("reference", Options{File: document(t, n.path+` = "${V}"`), Env: env})
			check("reference", Options{File: document(t, n.path+` = ["${V}"]`), Env: env})
			if n.role == "file" {
				continue
			}
			check("literal", Options{File: document(t, literal)})
			check("variable", Options{Env: []string{n.variable() + "=" + shape}})
			check("override", Options{Overrides: map[string]string{n.path: shape}})
		}
	}
	for _, text := range []string{
		`listen = ` + canary, `listen = "` + canary, `listen = "` + canary + `" x`, `[otel`, "otel = '" + canary + "'",
		"otel.exporter = ['" + canary + "']", "otel.span_attributes = { a = ['" + canary + "'] }", "otel.trace_exporter = '" + canary + "'",
		"otel.exporter.otlp-http = '" + canary + "'", "otel.exporter.otlp-http = { headers = '" + canary + "' }",
		"otel.exporter.otlp-http = { tls = '" + canary + "', compression = '" + canary + "', timeout = '" + canary + "' }",
		"otel.exporter.otlp-http = { tls = { client-certificate = '${C}/x', client-private-key = '" + canary + "' } }",
		"otel.exporter.otlp-http = { headers = { a = '${C}', b = 1, c = '${C}\n' }, endpoint = '${C}', protocol = '${C}' }",
		"upstream.ca_certificate = '${C:-" + canary + "'",
	} {
		check("document", Options{File: document(t, text), Env: []string{"C=" + canary}})
	}
	if problems < 500 {
		t.Errorf("%d configurations had problems; want most of them", problems)
	}
}

func TestProblemsUnwrap(t *testing.T) {
	_, _, err := Load(Options{Env: []string{"CODEX_PROXY_LISTEN=x"}, Overrides: map[string]string{"log.level": "x"}})
	if all, ok := errors.AsType[Problems](err); !ok || len(all) != 2 {
		t.Fatalf("error = %v; want two problems", err)
	}
	first, ok := errors.AsType[Problem](err)
	if !ok || first.Path != "log.level" || first.Message == "" {
		t.Errorf("first problem = %+v, %t; want that of log.level", first, ok)
	}
}
