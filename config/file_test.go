package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFileThatIsNoDocument(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	tests := []struct {
		name, file, want string
	}{
		{"absent", filepath.Join(dir, "absent"), ": open file: no such file or directory"},
		{"directory", dir, ": is a directory, want a file"},
		{"too large", write("large", strings.Repeat("#", maxFileBytes+1)), ": is larger than 1 MiB"},
		{"not UTF-8", write("latin1", "# ä\notel = '\xe9'"), ":2:9: is not valid UTF-8 (save the file as UTF-8)"},
		{"not TOML", write("syntax", "listen = \"127.0.0.1:1\"\n[otel\n"), ":2:6: is not TOML: expected ']' to close table name"},
		{"twice", write("twice", "listen = ''\nlisten = ''"), ":2:1: is not TOML: key listen is already defined"},
		{"number", write("number", "a = 1e999"), ":1:5: is not TOML: unable to parse float"},
		{"deep", write("deep", "a = "+strings.Repeat("[", 100_000)), ":1:10005: is not TOML: arrays and inline tables are nested more than the maximum of 10000 levels deep"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := Load(Options{File: test.file})
			wantProblems(t, err, quoteLong(test.file)+test.want)
		})
	}
}

// TestFileProblemHidesNothing checks that a broken file does not keep the environment from being checked.
func TestFileProblemHidesNothing(t *testing.T) {
	file := document(t, "listen =")
	_, _, err := Load(Options{File: file, Env: []string{"CODEX_PROXY_LOG_LEVEL=x", "CODEX_PROXY_X=1"}})
	wantProblems(t, err,
		quoteLong(file)+":1:8: is not TOML: expected value, not end of input",
		`log.level: want "debug", "info", "warn" or "error", set by CODEX_PROXY_LOG_LEVEL`,
		"CODEX_PROXY_X: unknown environment variable")
}

func TestFileAtTheSizeLimit(t *testing.T) {
	text := "log.level = 'warn'\n#"
	cfg, _ := mustLoad(t, Options{File: document(t, text+strings.Repeat("x", maxFileBytes-len(text)))})
	if cfg.Log.Level != "warn" {
		t.Errorf("level = %q; want %q", cfg.Log.Level, "warn")
	}
}

func TestProblemsAreBounded(t *testing.T) {
	var text strings.Builder
	for i := range 500 {
		text.WriteString("k" + strings.Repeat("x", i) + " = 1\n")
	}
	_, _, err := Load(Options{File: document(t, text.String())})
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxProblems+1 || lines[maxProblems] != "400 more problems" {
		t.Errorf("got %d lines, the last %q; want %d and the number of the rest", len(lines), lines[len(lines)-1], maxProblems+1)
	}
	for _, line := range lines {
		if len(line) > 200 {
			t.Errorf("line of %d bytes; want keys shortened", len(line))
		}
	}
}
