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

func (f *facts) missing(reported map[string]time.Time, killed time.Time, window time.Duration) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var missing []string
	for prompt, at := range reported {
		if !f.prompts[prompt] && killed.Sub(at) > window {
			missing = append(missing, prompt)
		}
	}
	return missing
}

// TestKillLosesNothing kills a proxy at random points while agents report to it, with and without a collector, and wants
// everything older than the window to arrive after all.
func TestKillLosesNothing(t *testing.T) {
	const window, rounds = 200 * time.Millisecond, 6
	collector := &facts{prompts: map[string]bool{}, byID: map[string]string{}}
	server := httptest.NewServer(collector)
	defer server.Close()
	dir := filepath.Join(t.TempDir(), "state")
	model := responsestest.NewServer(t)
	settings := strings.Replace(exportTo(server.URL, dir), "[otel]\n", "[report]\nmerge_grace = \"0s\"\n[otel]\nlog_user_prompt = true\n", 1)
	file := writeConfig(t, settings+"[upstream]\nbase_url = \""+model.BaseURL()+"\"\n")
	late, total := 0, 0
	for round := range rounds {
		collector.down.Store(round%2 == 0)
		reported, killed := reportUntilKilled(t, file, round, 300*time.Millisecond+rand.N(500*time.Millisecond))
		total += len(reported)
		collector.down.Store(false)
		p := startProxy(t, model.BaseURL(), settings)
		until(t, p.url, func(v ledgerView) bool { return v.Total.Queued == 0 })
		if code := p.stop(); code != 0 {
			t.Errorf("exit code = %d; want 0", code)
		}
		if missing := collector.missing(reported, killed, window); len(missing) > 0 {
			late++
			t.Logf("round %d: %d of %d reports older than %v are lost", round, len(missing), len(reported), window)
		}
		if missing := collector.missing(reported, killed, 3*time.Second); len(missing) > 0 {
			t.Errorf("round %d: lost %q", round, missing)
		}
	}
	// A busy machine may stall a process for longer than the window now and then.
	if late > rounds/3 {
		t.Errorf("%d of %d rounds lost more than the last %v", late, rounds, window)
	}
	// Records are told apart by event.id even if they come twice.
	if len(collector.byID) != len(collector.prompts) {
		t.Errorf("%d ids for %d prompts; want one each", len(collector.byID), len(collector.prompts))
	}
	t.Logf("%d reported, %d arrived, %d more than once", total, len(collector.prompts), collector.twice)
}

// reportUntilKilled starts a proxy, reports prompts to it and kills it after some time. It returns when each prompt was
// acknowledged.
func reportUntilKilled(t *testing.T, file string, round int, after time.Duration) (reported map[string]time.Time, killed time.Time) {
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
	reported = map[string]time.Time{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		client := &http.Client{Transport: &http.Transport{}}
		defer client.CloseIdleConnections()
		// Slowly, so that batches are sealed by time.
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ctx.Err() == nil; i++ {
			<-tick.C
			prompt := fmt.Sprintf("prompt %d of round %d", i, round)
			body := strings.Replace(promptReport, "hello", prompt, 1)
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+report.EventsPath, strings.NewReader(body))
			if err != nil {
				return
			}
			req.Header.Set("Content-Type", "application/json")
			res, err := client.Do(req)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode == http.StatusAccepted {
				reported[prompt] = time.Now()
			}
		}
	}()
	<-time.After(after)
	killed = time.Now()
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-done
	_ = child.Wait() // It was killed.
	if len(reported) == 0 {
		t.Error("nothing was reported")
	}
	return reported, killed
}
