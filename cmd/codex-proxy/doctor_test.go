package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// examine runs doctor and returns what it found, by check, and the exit code. Both outputs tell the same.
func examine(t *testing.T, args ...string) (found map[string]finding, code int) {
	t.Helper()
	var stdout, text, stderr bytes.Buffer
	code = run(t.Context(), append([]string{"doctor", "--json"}, args...), nil, &stdout, &stderr)
	if again := run(t.Context(), append([]string{"doctor"}, args...), nil, &text, &stderr); again != code {
		t.Errorf("doctor exits with %d, with --json %d", again, code)
	}
	var told struct {
		Status status    `json:"status"`
		Checks []finding `json:"checks"`
	}
	if err := json.Unmarshal(stdout.Bytes(), &told); err != nil {
		t.Fatalf("doctor printed %s: %v", stdout.String(), err)
	}
	found = map[string]finding{}
	for _, f := range told.Checks {
		if found[f.Check].Status != statusFail {
			found[f.Check] = f
		}
	}
	if lines := strings.Count(text.String(), "\n"); lines != len(told.Checks) {
		t.Errorf("doctor printed %d lines for %d checks:\n%s", lines, len(told.Checks), text.String())
	}
	if (told.Status == statusFail) != (code == exitFailure) {
		t.Errorf("status %s, exit code %d", told.Status, code)
	}
	if all := stdout.String() + text.String() + stderr.String(); strings.Contains(all, "s3cret") || strings.Contains(all, "\x1b") {
		t.Errorf("doctor printed a credential, or what a terminal obeys: %q", all)
	}
	return found, code
}

// expectFinding wants a check to come to a status, with a text in its detail.
func expectFinding(t *testing.T, found map[string]finding, check string, want status, detail string) {
	t.Helper()
	if f := found[check]; f.Status != want || !strings.Contains(f.Detail, detail) {
		t.Errorf("%s: %s, %s; want %s, %s", check, f.Status, f.Detail, want, detail)
	}
}

// TestDoctor examines a proxy that runs and lacks nothing.
func TestDoctor(t *testing.T) {
	var mu sync.Mutex
	var got []string
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPost {
			got = append(got, string(body))
		}
	}))
	defer collector.Close()
	model := responsestest.NewServer(t)
	dir := filepath.Join(t.TempDir(), "state")
	settings := exportTo(collector.URL, dir) + "[upstream]\nbase_url = " + strconv.Quote(model.BaseURL()) + "\n"
	p := startProxy(t, model.BaseURL(), settings)
	found, code := examine(t, "--config", writeConfig(t, settings), "--listen", strings.TrimPrefix(p.url, "http://"))
	if code != 0 {
		t.Errorf("exit code = %d; want 0", code)
	}
	expectFinding(t, found, "configuration", statusOK, "otlp-http")
	expectFinding(t, found, "upstream", statusOK, "answers with status")
	expectFinding(t, found, "collector", statusOK, "took the record codex_proxy.doctor")
	expectFinding(t, found, "state directory", statusOK, "in use by process "+strconv.Itoa(os.Getpid()))
	expectFinding(t, found, "clock", statusOK, "within 3s")
	expectFinding(t, found, "streaming", statusOK, "8 events came one by one")
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 2 || strings.Count(got[0], `"eventName"`) != 1 || !strings.Contains(got[0], `"eventName":"codex_proxy.doctor"`) {
		t.Errorf("the collector got %q; want one marked record each time", got)
	}
	for _, r := range model.OtherRequests() {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("the upstream got credentials: %v", r.Header)
		}
	}
}

// TestDoctorFindsHops puts hops before a proxy: one that passes bytes on, and one that waits for the whole answer.
func TestDoctorFindsHops(t *testing.T) {
	p := startProxy(t, responsestest.NewServer(t).BaseURL(), "")
	target, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	passing := httputil.NewSingleHostReverseProxy(target)
	for name, test := range map[string]struct {
		hop    http.Handler
		want   status
		detail string
	}{
		"passing": {passing, statusOK, "one by one"},
		"buffering": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			whole := httptest.NewRecorder()
			passing.ServeHTTP(whole, r)
			w.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
			_, _ = w.Write(whole.Body.Bytes())
		}), statusFail, "holds streams back"},
		"cutting": {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: {}\n\n")
		}), statusFail, "1 of 8 events came"},
		"another program": {http.NotFoundHandler(), statusFail, "is no codex-proxy"},
	} {
		t.Run(name, func(t *testing.T) {
			hop := httptest.NewServer(test.hop)
			defer hop.Close()
			found, _ := examine(t, "--url", hop.URL, "--upstream", p.url+"/v1")
			expectFinding(t, found, "streaming", test.want, test.detail)
		})
	}
}

// TestDoctorFindsMistakes examines what does not work.
func TestDoctorFindsMistakes(t *testing.T) {
	answer := func(status int, header, value, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(header, value)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	const plain, kind = "text/plain", "Content-Type"
	nobody := "http://127.0.0.1:1"
	good := answer(http.StatusUnauthorized, kind, plain, "")
	late := answer(http.StatusOK, "Date", time.Now().Add(-10*time.Minute).UTC().Format(http.TimeFormat), "")
	loose := filepath.Join(t.TempDir(), "loose")
	if err := os.Mkdir(loose, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	exporter := func(url string) string {
		return "[otel]\nexporter = { otlp-http = { endpoint = \"" + url + "\", protocol = \"json\", timeout = \"2s\", headers = { \"x-key\" = \"s3cret-key\" } } }\n"
	}
	state := func(dir string) string { return "[store]\ndir = " + strconv.Quote(dir) + "\n" }
	free := filepath.Join(t.TempDir(), "state")
	for _, test := range []struct {
		name, upstream, settings string
		check                    string
		want                     status
		detail                   string
	}{
		{"nothing wrong", good, exporter(good) + state(free), "upstream", statusOK, "status 401"},
		{"no upstream", nobody, "", "upstream", statusFail, "refused"},
		{"upstream in trouble", answer(http.StatusBadGateway, kind, plain, "\x1b[31m"), "", "upstream", statusWarn, "status 502"},
		{"upstream with a password", strings.Replace(nobody, "//", "//me:s3cret@", 1), "", "configuration", statusFail, ""},
		{"collector without the key", good, exporter(answer(401, kind, "application/json", `{"message":"\u001b[31mwrong key s3cret-key"}`)) + state(free), "collector", statusFail, "http 401"},
		{"collector away", good, exporter(nobody) + state(free), "collector", statusFail, "would try again"},
		{"collector picky", good, exporter(answer(200, kind, "application/json", `{"partialSuccess":{"rejectedLogRecords":"1"}}`)) + state(free), "collector", statusFail, "partial success"},
		{"no collector", good, "", "collector", statusOK, "nothing is sent"},
		{"no store", good, "", "state directory", statusOK, "not needed"},
		{"in memory", good, exporter(good) + state("memory"), "state directory", statusWarn, "in memory"},
		{"not there", good, exporter(good) + state(free), "state directory", statusOK, "not there yet"},
		{"others may read", good, exporter(good) + state(loose), "state directory", statusWarn, "want mode 0700"},
		{"no directory", good, exporter(good) + state(file), "state directory", statusFail, "no directory"},
		{"clock", late, "", "clock", statusFail, "ahead of that of " + late},
		{"nobody to ask", nobody, "", "clock", statusWarn, "nobody"},
		{"mistake", good, "[otel]\nlog_user_prompts = \"x\"\n", "configuration", statusFail, "unknown key"},
		{"no proxy", good, "", "streaming", statusWarn, "no proxy runs"},
	} {
		t.Run(test.name, func(t *testing.T) {
			found, code := examine(t, "--config", writeConfig(t, test.settings), "--upstream", test.upstream, "--listen", "127.0.0.1:2")
			expectFinding(t, found, test.check, test.want, test.detail)
			if test.want == statusFail && code != exitFailure {
				t.Errorf("exit code = %d; want %d", code, exitFailure)
			}
		})
	}
}

// TestProbesAreBounded opens more probes than there may be.
func TestProbesAreBounded(t *testing.T) {
	p := startProxy(t, responsestest.NewServer(t).BaseURL(), "")
	var mu sync.Mutex
	counts := map[int]int{}
	var probes sync.WaitGroup
	for range 3 * maxProbes {
		probes.Go(func() {
			status, _ := send(t, "GET", p.url+probePath, "", nil)
			mu.Lock()
			defer mu.Unlock()
			counts[status]++
		})
	}
	probes.Wait()
	if counts[http.StatusOK] < maxProbes || counts[http.StatusTooManyRequests] == 0 {
		t.Errorf("answers = %v; want some refused", counts)
	}
	if status, _ := send(t, "POST", p.url+probePath, "", nil); status != http.StatusMethodNotAllowed {
		t.Errorf("POST = %d; want 405", status)
	}
}
