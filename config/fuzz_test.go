package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad loads any document with any override: no panic, either an error made of problems or a configuration that
// can be shown and loaded again, and never the value of a variable in a message.
func FuzzLoad(f *testing.F) {
	names, err := filepath.Glob("testdata/*/*.toml")
	if err != nil || names == nil {
		f.Fatalf("Glob = %v, %v", names, err)
	}
	settings := root().settings()
	for i, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), uint(i), "${C}")
	}
	f.Add(`otel.exporter = { otlp-http = { endpoint = "${C}", protocol = "json", headers = { "${C}" = "${C}" } } }`, uint(0), "127.0.0.1:0")
	f.Fuzz(func(t *testing.T, text string, index uint, value string) {
		if strings.Contains(text+value, canary) {
			t.Skip("the document itself has the canary")
		}
		file := document(t, text)
		n := settings[index%uint(len(settings))]
		opts := Options{File: file, Env: []string{"C=" + canary, "OTLP_TOKEN=" + canary}, Overrides: map[string]string{n.path: value}}
		cfg, warnings, err := Load(opts)
		for _, w := range warnings {
			if strings.Contains(w.Error(), canary) {
				t.Fatalf("warning %q has the canary", w.Error())
			}
		}
		if err != nil {
			problems, ok := errors.AsType[Problems](err)
			if !ok || len(problems) == 0 || cfg != nil {
				t.Fatalf("Load() = %v, %T; want problems alone", cfg, err)
			}
			if strings.Contains(err.Error(), "decode configuration") {
				t.Fatalf("the checker let through what does not decode: %v", err)
			}
			if strings.Contains(err.Error(), canary) {
				t.Fatalf("error has the canary: %v", err)
			}
			return
		}
		shown, err := cfg.TOML()
		if err != nil {
			t.Fatalf("TOML() = %v", err)
		}
		if strings.Contains(string(shown), canary) {
			t.Fatalf("TOML() has the canary:\n%s", shown)
		}
	})
}
