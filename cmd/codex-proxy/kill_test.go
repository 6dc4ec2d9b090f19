package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// killedConfig names the configuration of the proxy that is going to be killed.
const killedConfig = "KILL_TEST_CONFIG"

// TestKilledProxy is that proxy.
func TestKilledProxy(t *testing.T) {
	file := os.Getenv(killedConfig)
	if file == "" {
		t.Skip("is run by TestKillLosesNothing")
	}
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, onListen: func(addr net.Addr) {
		fmt.Fprintf(os.Stdout, "listen=http://%s\n", addr)
	}}
	a.run(t.Context(), []string{"serve", "--config", file, "--listen", "127.0.0.1:0"})
}

// facts is a collector that keeps what it is told: the prompts of the records, and how often each event.id came with which one.
type facts struct {
	down atomic.Bool

	mu      sync.Mutex
	prompts map[string]bool
	byID    map[string]string
	twice   int
}

func (f *facts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if f.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var told any
	if json.Unmarshal(body, &told) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.walk(told)
}

// walk looks for the attributes of log records anywhere in a document.
func (f *facts) walk(value any) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			f.walk(item)
		}
	case map[string]any:
		attributes, isRecord := value["attributes"].([]any)
		if _, timed := value["timeUnixNano"]; !timed || !isRecord {
			for _, item := range value {
				f.walk(item)
			}
			return
		}
		texts := map[string]string{}
		for _, item := range attributes {
			pair, _ := item.(map[string]any)
			inner, _ := pair["value"].(map[string]any)
			key, _ := pair["key"].(string)
			texts[key], _ = inner["stringValue"].(string)
		}
		if texts["prompt"] == "" {
			return
		}
		if _, known := f.byID[texts["event.id"]]; known {
			f.twice++
		}
		f.prompts[texts["prompt"]] = true
		f.byID[texts["event.id"]] = texts["prompt"]
	}
}

func (f *facts) missing(acknowledged []string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(acknowledged), func(prompt string) bool { return f.prompts[prompt] })
}

// TestKillLosesNothing kills a proxy at random points while agents report to it, with and without a collector, and wants
// everything that was acknowledged to arrive after all: also what waited to be merged.
func TestKillLosesNothing(t *testing.T) {
	const rounds = 8
	collector := &facts{prompts: map[string]bool{}, byID: map[string]string{}}
	server := httptest.NewServer(collector)
	defer server.Close()
	dir := filepath.Join(t.TempDir(), "state")
	model := responsestest.NewServer(t)
	total := 0
	for round := range rounds {
		grace := []string{"0s", "2s"}[round/2%2]
		settings := strings.Replace(exportTo(server.URL, dir), "[otel]\n", "[report]\nmerge_grace = \""+grace+"\"\n[otel]\nlog_user_prompt = true\n", 1)
		file := writeConfig(t, settings+"[upstream]\nbase_url = \""+model.BaseURL()+"\"\n")
		collector.down.Store(round%2 == 0)
		acknowledged := reportUntilKilled(t, file, round, 300*time.Millisecond+rand.N(500*time.Millisecond))
		total += len(acknowledged)
		collector.down.Store(false)
		p := startProxy(t, model.BaseURL(), settings)
		until(t, p.url, func(v ledgerView) bool { return v.Total.Queued == 0 })
		if code := p.stop(); code != 0 {
			t.Errorf("exit code = %d; want 0", code)
		}
		if missing := collector.missing(acknowledged); len(missing) > 0 {
			t.Errorf("round %d: of %d acknowledged, lost %q", round, len(acknowledged), missing)
		}
	}
	// Records are told apart by event.id even if they come twice.
	if len(collector.byID) != len(collector.prompts) {
		t.Errorf("%d ids for %d prompts; want one each", len(collector.byID), len(collector.prompts))
	}
	t.Logf("%d acknowledged, %d arrived, %d more than once", total, len(collector.prompts), collector.twice)
}

// aLog is the same as promptReport, as an agent's own exporter tells it.
const aLog = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"codex.user_prompt","attributes":[
	{"key":"event.name","value":{"stringValue":"codex.user_prompt"}},{"key":"conversation.id","value":{"stringValue":"c1"}},
	{"key":"prompt_length","value":{"stringValue":"5"}},{"key":"prompt","value":{"stringValue":"hello"}}]}]}]}]}`

// reportUntilKilled starts a proxy, reports prompts to it by both ways and kills it after some time. It returns what was
// acknowledged.
func reportUntilKilled(t *testing.T, file string, round int, after time.Duration) (acknowledged []string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledProxy$")
	child.Env = append(os.Environ(), killedConfig+"="+file)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var url string
	if _, err := fmt.Fscanf(out, "listen=%s\n", &url); err != nil {
		t.Fatalf("the proxy does not listen: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		client := &http.Client{Transport: &http.Transport{}}
		defer client.CloseIdleConnections()
		for i := 0; ctx.Err() == nil; i++ {
			prompt := fmt.Sprintf("prompt %d of round %d", i, round)
			path, body := report.EventsPath, promptReport
			if i%2 == 1 {
				path, body = report.LogsPath, aLog
			}
			body = strings.Replace(body, "hello", prompt, 1)
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+path, strings.NewReader(body))
			if err != nil {
				return
			}
			req.Header.Set("Content-Type", "application/json")
			res, err := client.Do(req)
			if err != nil {
				return
			}
			answer, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil {
				return
			}
			if res.StatusCode/100 != 2 || strings.Contains(string(answer), "memory only") || strings.Contains(string(answer), `"durable":false`) {
				t.Errorf("POST %s = %d %s; want it taken and on disk", path, res.StatusCode, answer)
				return
			}
			acknowledged = append(acknowledged, prompt)
		}
	}()
	<-time.After(after)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-done
	_ = child.Wait() // It was killed.
	if len(acknowledged) == 0 {
		t.Error("nothing was acknowledged")
	}
	return acknowledged
}
