package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// recorded starts a proxy with a history and has it record a response and two reports.
func recorded(t *testing.T, settings string) served {
	t.Helper()
	model := responsestest.NewServer(t)
	model.Once(responsestest.Stream(responsestest.Created("r1"), responsestest.TextDelta("hi"), responsestest.Completed("r1")))
	p := startProxy(t, model.BaseURL(), settings)
	send(t, "POST", p.url+"/v1/responses", `{"model":"m","stream":true}`, nil)
	send(t, "POST", p.url+report.EventsPath, promptReport, nil)
	send(t, "POST", p.url+report.EventsPath, strings.Replace(promptReport, `"c1"`, `"c2"`, 1), nil)
	until(t, p.url, func(v ledgerView) bool { return v.Events["codex.user_prompt"].Observed == 2 && v.History.Records >= 5 })
	return p
}

// exportLines runs export and returns its lines.
func exportLines(t *testing.T, args ...string) []string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), append([]string{"export"}, args...), nil, &stdout, &stderr); code != 0 {
		t.Fatalf("export %q exited with %d: %s", args, code, stderr.String())
	}
	return strings.Split(strings.TrimSuffix(stdout.String(), "\n"), "\n")
}

// TestExport reads the history beside the proxy that writes it, and after.
func TestExport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	p := recorded(t, "[report]\nmerge_grace = \"0s\"\n[store]\nhistory = true\ndir = "+strconv.Quote(dir)+"\n")
	t.Setenv("CODEX_PROXY_STORE_DIR", dir)
	for _, running := range []bool{true, false} {
		if !running {
			p.stop()
		}
		var names []string
		for _, line := range exportLines(t) {
			var event map[string]any
			if err := json.Unmarshal([]byte(line), &event); err != nil {
				t.Fatalf("line %q: %v", line, err)
			}
			name, _ := event["event.name"].(string)
			if kind, ok := event["event.kind"].(string); ok {
				name += " " + kind
			}
			names = append(names, name)
			if prompt, ok := event["prompt"]; ok && prompt != "[REDACTED]" {
				t.Errorf("prompt = %v; want it redacted", prompt)
			}
		}
		all := strings.Join(names, ", ")
		for _, want := range []string{"codex.api_request", "codex.sse_event response.created", "codex.sse_event response.completed", "codex.user_prompt"} {
			if !strings.Contains(all, want) {
				t.Errorf("exported %s; want %s among it", all, want)
			}
		}
		if strings.Contains(all, ".delta") {
			t.Errorf("exported %s; want no deltas", all)
		}
		for _, test := range []struct {
			args  []string
			lines int
		}{
			{[]string{"--event", "user_prompt"}, 2},
			{[]string{"--event", "codex.user_prompt", "--conversation", "c2", "--since", "1h"}, 1},
			{[]string{"--until", "1h"}, 0},
			{[]string{"--since", time.Now().Add(time.Hour).Format(time.RFC3339)}, 0},
			{[]string{"--since", "2d", "--until", "2999-01-01", "--event", "api_request"}, 1},
		} {
			lines := exportLines(t, test.args...)
			if lines[0] == "" {
				lines = nil
			}
			if len(lines) != test.lines {
				t.Errorf("export %q has %d lines; want %d", test.args, len(lines), test.lines)
			}
		}
		records := 0
		for _, line := range exportLines(t, "--format", "otlp") {
			logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
			if err != nil {
				t.Fatalf("line %q: %v", line, err)
			}
			records += logs.LogRecordCount()
		}
		if records != len(names) {
			t.Errorf("%d records as OTLP; want %d", records, len(names))
		}
	}
}

// TestExportSends sends the history to a collector, which is away at first, and says what it refused.
func TestExportSends(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	recorded(t, "[report]\nmerge_grace = \"0s\"\n[store]\nhistory = true\ndir = "+strconv.Quote(dir)+"\n").stop()
	tries, status, got := 0, http.StatusOK, 0
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if tries++; tries == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		got += bytes.Count(body, []byte(`"eventName"`))
		w.WriteHeader(status)
	}))
	defer collector.Close()
	file := writeConfig(t, exportTo(collector.URL, dir))
	want := len(exportLines(t, "--dir", dir))
	var stderr bytes.Buffer
	args := []string{"export", "--send", "--config", file}
	if code := run(t.Context(), args, nil, io.Discard, &stderr); code != 0 || got != want || !strings.Contains(stderr.String(), strconv.Itoa(want)+" records sent") {
		t.Errorf("export exited with %d, %s; the collector got %d; want %d", code, stderr.String(), got, want)
	}
	stderr.Reset()
	status = http.StatusUnauthorized
	if code := run(t.Context(), args, nil, io.Discard, &stderr); code != exitFailure || !strings.Contains(stderr.String(), strconv.Itoa(want)+" refused by the collector") {
		t.Errorf("export exited with %d, %s; want it to tell what was refused", code, stderr.String())
	}
}

// TestExportMistakes says what is missing, and makes no files.
func TestExportMistakes(t *testing.T) {
	empty := t.TempDir()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--dir", empty}, "there is no history; a proxy with store.history = true keeps one"},
		{[]string{"--dir", empty, "--since", "yesterday"}, "--since: want 90m, 7d, 2006-01-02 or RFC 3339"},
		{[]string{"--dir", empty, "--since", "-1h"}, "--since: want"},
		{[]string{"--dir", empty, "--format", "csv"}, "want --format jsonl or otlp"},
	} {
		var stderr bytes.Buffer
		if code := run(t.Context(), append([]string{"export"}, test.args...), nil, io.Discard, &stderr); code != exitFailure || !strings.Contains(stderr.String(), test.want) {
			t.Errorf("export %q exited with %d, %s; want %s", test.args, code, stderr.String(), test.want)
		}
	}
	t.Setenv("CODEX_PROXY_STORE_DIR", "memory")
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"export"}, nil, io.Discard, &stderr); code != exitFailure || !strings.Contains(stderr.String(), "--dir names a directory") {
		t.Errorf("export exited with %d, %s; want it to ask for a directory", code, stderr.String())
	}
}

// TestMoment reads times as people say them.
func TestMoment(t *testing.T) {
	now := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"90m": "2026-03-05T10:30:00Z", "1.5d": "2026-03-04T00:00:00Z", "0s": "2026-03-05T12:00:00Z",
		"2026-03-01": "2026-03-01T00:00:00Z", "2026-03-01 13:14": "2026-03-01T13:14:00Z", "2026-03-01T00:00:00+01:00": "2026-02-28T23:00:00Z",
		"": "0001-01-01T00:00:00Z", "d": "", "-1d": "", "1e9d": "", "2026-13-01": "", "5": "",
	} {
		got, err := moment(text, now)
		if err != nil {
			got = time.Time{}
		}
		if want == "" && err == nil || want != "" && got.UTC().Format(time.RFC3339) != want {
			t.Errorf("moment(%q) = %v, %v; want %s", text, got, err, want)
		}
	}
}
