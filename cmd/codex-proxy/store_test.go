package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// exportTo is a configuration with a store in dir and a collector at url.
func exportTo(url, dir string) string {
	return "[server]\nflush_timeout = \"2s\"\n[store]\ndir = " + strconv.Quote(dir) + "\n[otel]\nexporter = { otlp-http = { endpoint = \"" + url +
		"\", protocol = \"json\", timeout = \"500ms\" } }\n"
}

// readLedger returns the ledger of a proxy, which must balance.
func readLedger(t *testing.T, url string) ledgerView {
	t.Helper()
	status, body := send(t, "GET", url+ledgerPath, "", nil)
	var view ledgerView
	if err := json.Unmarshal([]byte(body), &view); status != http.StatusOK || err != nil {
		t.Fatalf("GET %s = %d %s", ledgerPath, status, body)
	}
	for name, a := range view.Events {
		if a.Observed != a.Delivered+a.Queued+sum(a.Dropped)+sum(a.Rejected) {
			t.Errorf("account of %s = %+v; want it to balance", name, a)
		}
	}
	return view
}

// until returns the first ledger for which is reports true.
func until(t *testing.T, url string, is func(ledgerView) bool) ledgerView {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		view := readLedger(t, url)
		if is(view) {
			return view
		}
		select {
		case <-deadline:
			t.Fatalf("the ledger does not get there: %+v", view)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestTelemetryOutlivesTheProcess records while the collector is away, and finds it back after a restart.
func TestTelemetryOutlivesTheProcess(t *testing.T) {
	var away atomic.Bool
	var told atomic.Int64
	away.Store(true)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		told.Add(int64(bytes.Count(body, []byte(`"eventName":"codex.user_prompt"`))))
	}))
	defer collector.Close()
	dir := filepath.Join(t.TempDir(), "state")
	model := responsestest.NewServer(t)
	p := startProxy(t, model.BaseURL(), exportTo(collector.URL, dir))
	for i := range 3 {
		reported := strings.Replace(promptReport, "hello", fmt.Sprint("hello ", i), 1)
		if status, body := send(t, "POST", p.url+report.EventsPath, reported, nil); status != http.StatusAccepted {
			t.Fatalf("report = %d %s", status, body)
		}
	}
	view := until(t, p.url, func(v ledgerView) bool { return v.Total.Queued == 3 })
	if !view.Durable || view.Trouble != "" {
		t.Errorf("ledger = %+v; want it durable", view)
	}
	if _, metrics := send(t, "GET", p.url+"/metrics", "", nil); !strings.Contains(metrics, "\ncodex_proxy_store_durable 1\n") {
		t.Error("metrics do not tell that the store is durable")
	}

	var stderr bytes.Buffer
	second := writeConfig(t, exportTo(collector.URL, dir))
	if code := run(t.Context(), []string{"--config", second, "--listen", "127.0.0.1:0"}, nil, io.Discard, &stderr); code != exitFailure ||
		!strings.Contains(stderr.String(), "is in use by process "+strconv.Itoa(os.Getpid())) {
		t.Errorf("second proxy exited with %d, %s; want %d and who has the directory", code, stderr.String(), exitFailure)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code = %d; want 0", code)
	}

	away.Store(false)
	p = startProxy(t, model.BaseURL(), exportTo(collector.URL, dir))
	view = until(t, p.url, func(v ledgerView) bool { return v.Total.Queued == 0 })
	if got := view.Events["codex.user_prompt"]; got.Observed != 3 || got.Delivered != 3 || view.Process.Observed != 3 {
		t.Errorf("ledger = %+v; want three prompts observed and delivered", view)
	}
	if told.Load() != 3 {
		t.Errorf("the collector was told of %d prompts; want 3", told.Load())
	}
	var stdout bytes.Buffer
	if code := run(t.Context(), []string{"ledger", "--url", p.url}, nil, &stdout, io.Discard); code != 0 ||
		!strings.Contains(stdout.String(), "codex.user_prompt") || !strings.Contains(stdout.String(), "on disk") {
		t.Errorf("ledger exited with %d and printed %s", code, stdout.String())
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code = %d; want 0", code)
	}
}

// TestTelemetryOutlivesHangingCollector has a collector that uses up the time to flush. What it leaves is on disk all the same.
func TestTelemetryOutlivesHangingCollector(t *testing.T) {
	released := make(chan struct{})
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-released:
		case <-r.Context().Done():
		}
	}))
	defer collector.Close()
	defer close(released)
	hanging := strings.NewReplacer(`"2s"`, `"50ms"`, `"500ms"`, `"1m"`).Replace(exportTo(collector.URL, filepath.Join(t.TempDir(), "state")))
	p := startProxy(t, responsestest.NewServer(t).BaseURL(), hanging)
	if status, body := send(t, "POST", p.url+report.EventsPath, promptReport, nil); status != http.StatusAccepted {
		t.Fatalf("report = %d %s", status, body)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code = %d; want 0", code)
	}
	if want := `msg="telemetry is kept for the next start" records=1`; !strings.Contains(p.log(), want) {
		t.Errorf("the log does not say %s:\n%s", want, p.log())
	}
}

// TestNoExporterTouchesNoDisk has books that balance all the same.
func TestNoExporterTouchesNoDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	p := startProxy(t, responsestest.NewServer(t).BaseURL(), "[store]\ndir = "+strconv.Quote(dir)+"\n")
	send(t, "POST", p.url+report.EventsPath, promptReport, nil)
	view := until(t, p.url, func(v ledgerView) bool { return v.Total.Observed == 1 })
	if view.Durable || view.Total.Dropped["no_exporter"] != 1 || view.Total.Queued != 0 {
		t.Errorf("ledger = %+v; want one record that nobody wants", view)
	}
	if status, _ := send(t, "GET", p.url+ledgerPath, "", func(r *http.Request) { r.Host = "evil.example" }); status != http.StatusForbidden {
		t.Errorf("ledger for another host = %d; want 403", status)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code = %d; want 0", code)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("Stat(%s) = %v; want nothing there", dir, err)
	}
}

// TestUnusableStateDirectory serves and exports from memory.
func TestUnusableStateDirectory(t *testing.T) {
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer collector.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, responsestest.NewServer(t).BaseURL(), exportTo(collector.URL, filepath.Join(file, "state")))
	send(t, "POST", p.url+report.EventsPath, promptReport, nil)
	view := until(t, p.url, func(v ledgerView) bool { return v.Total.Delivered == 1 })
	if view.Durable || view.Trouble == "" {
		t.Errorf("ledger = %+v; want it to tell the trouble", view)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code = %d; want 0", code)
	}
}

func TestStateDir(t *testing.T) {
	for _, test := range []struct{ xdg, home, want string }{
		{"/state", "/home/me", "/state/codex-proxy"},
		{"", "/home/me", "/home/me/.local/state/codex-proxy"},
		{"relative", "/home/me", "/home/me/.local/state/codex-proxy"},
		{"", "", ""},
	} {
		got, err := stateDir(func(name string) string {
			return map[string]string{"XDG_STATE_HOME": test.xdg, "HOME": test.home}[name]
		})
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("stateDir(%q, %q) = %q, %v; want %q", test.xdg, test.home, got, err, test.want)
		}
	}
}

// TestHistoryWithoutExporter keeps what was recorded, without prompts, and says what became of it.
func TestHistoryWithoutExporter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	settings := "[store]\nhistory = true\ndir = " + strconv.Quote(dir) + "\n"
	for start := range int64(2) {
		p := startProxy(t, responsestest.NewServer(t).BaseURL(), settings)
		if _, answer := send(t, "POST", p.url+report.EventsPath, promptReport, nil); !strings.Contains(answer, `"durable":true`) {
			t.Errorf("report = %s; want it on disk", answer)
		}
		// It waits to be merged, and then is history.
		view := until(t, p.url, func(v ledgerView) bool { return v.Total.Dropped["no_exporter"] == start+1 })
		if !view.Durable || view.Total.Queued != 0 || view.Process.Observed != 1 {
			t.Errorf("ledger = %+v; want the books of all starts on disk", view)
		}
		until(t, p.url, func(v ledgerView) bool { return v.History != nil && v.History.Records == start+1 })
		_, metrics := send(t, "GET", p.url+"/metrics", "", nil)
		if !strings.Contains(metrics, fmt.Sprintf("\ncodex_proxy_history_records %d\n", start+1)) ||
			!strings.Contains(metrics, `codex_proxy_history_dropped_total{reason="expired"} 0`) || strings.Contains(metrics, "codex_proxy_export_") {
			t.Errorf("metrics do not tell of the history alone:\n%s", metrics)
		}
		if code := p.stop(); code != 0 {
			t.Errorf("exit code = %d; want 0", code)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) == 0 {
		t.Error("there is no file")
	} else {
		for _, file := range files {
			if text, err := os.ReadFile(file); err != nil || bytes.Contains(text, []byte("hello")) {
				t.Errorf("%s holds the prompt, or cannot be read: %v", file, err)
			}
		}
	}
}
