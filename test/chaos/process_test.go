// Package chaos_test kills, drains and wears out the built proxy, with real traffic through it and a collector that misbehaves
// in every way behind it. CHAOS_TIME says for how long, CHAOS_SEED repeats a run; `make chaos` is the long one.
package chaos_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/test/statedir"
)

// patience bounds every wait for something that has to come.
const patience = 90 * time.Second

// duration returns how long a test may take, by CHAOS_TIME.
func duration(t *testing.T, fallback time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv("CHAOS_TIME")
	if text == "" {
		return fallback
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("CHAOS_TIME = %q; want a duration", text)
	}
	return d
}

// random returns a source by CHAOS_SEED, and prints which.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("CHAOS_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("CHAOS_SEED = %q; want a number", text)
		}
	}
	t.Logf("CHAOS_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// binaryDir names the directory of the binary for as long as the tests run.
const binaryDir = "CHAOS_BINARY_DIR"

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "codex-proxy-chaos")
	if err == nil {
		err = os.Setenv(binaryDir, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir) // It is a temporary one.
	os.Exit(code)
}

// build builds the proxy.
var build = sync.OnceValues(func() (string, error) {
	file := filepath.Join(os.Getenv(binaryDir), "codex-proxy")
	out, err := exec.CommandContext(context.Background(), "go", "build", "-o", file, "github.com/codex-proxy/codex-proxy/cmd/codex-proxy").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return file, nil
})

// process is a proxy that runs.
type process struct {
	url    string
	state  string // its state directory
	cmd    *exec.Cmd
	done   chan struct{} // closed when it has exited
	served []byte        // the ledger that was read last
	mu     sync.Mutex
	log    strings.Builder
}

// start starts a proxy and waits until it listens.
func start(t *testing.T, config string) *process {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &process{done: make(chan struct{}), state: statedir.In(config)}
	p.cmd = exec.CommandContext(t.Context(), binary, "serve", "--config", file, "--listen", "127.0.0.1:0")
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go p.follow(stderr, listening)
	select {
	case p.url = <-listening:
	case <-p.done:
		t.Fatalf("the proxy exited: %s", p.text())
	case <-time.After(patience):
		t.Fatalf("the proxy does not listen: %s", p.text())
	}
	return p
}

// follow reads the log, in which the proxy says where it listens.
func (p *process) follow(stderr io.Reader, listening chan<- string) {
	defer close(p.done)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		line := lines.Text()
		p.mu.Lock()
		if p.log.Len() < 1<<20 {
			p.log.WriteString(line + "\n")
		}
		p.mu.Unlock()
		if _, rest, ok := strings.Cut(line, " msg=serving listen="); ok {
			address, _, _ := strings.Cut(rest, " ")
			listening <- "http://" + address
		}
	}
	_ = p.cmd.Wait() // The state tells.
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// kill ends the proxy with SIGKILL.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.done
	p.leaves(t, true)
}

// leaves checks what the proxy has left: books that tell of what is there, and nowhere the key of an agent.
func (p *process) leaves(t *testing.T, killed bool) {
	t.Helper()
	end := statedir.End{Dir: p.state, Log: p.text(), Ledger: p.served, Killed: killed, Secrets: []string{agentKey}}
	for _, problem := range end.Problems(t.Context()) {
		t.Error(problem)
	}
}

// terminate reads the ledger and sends SIGTERM.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	p.ledger(t)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// exited waits for the exit, which must be an orderly one.
func (p *process) exited(t *testing.T) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatalf("the proxy does not exit: %s", p.text())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code = %d; want 0: %s", code, p.text())
	}
	p.leaves(t, false)
}

// get reads one of the proxy's own routes.
func (p *process) get(t *testing.T, path string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s = %d, %v: %s", path, res.StatusCode, err, body)
	}
	return body
}

// account is what became of records, as the ledger serves it.
type account struct {
	Observed  int64            `json:"observed"`
	Delivered int64            `json:"delivered"`
	Queued    int64            `json:"queued"`
	Dropped   map[string]int64 `json:"dropped"`
	Rejected  map[string]int64 `json:"rejected"`
}

// books is the ledger.
type books struct {
	Durable bool               `json:"durable"`
	Trouble string             `json:"trouble"`
	Events  map[string]account `json:"events"`
	Total   account            `json:"total"`
}

// ledger reads the ledger, in which every account must balance without a number below zero. What is queued there is what has
// no fate; that it waits is seen when the proxy has ended.
func (p *process) ledger(t *testing.T) books {
	t.Helper()
	var b books
	p.served = p.get(t, "/codex-proxy/v1/ledger")
	if err := json.Unmarshal(p.served, &b); err != nil {
		t.Fatal(err)
	}
	accounts := map[string]account{"total": b.Total}
	maps.Copy(accounts, b.Events)
	for name, a := range accounts {
		sum := a.Delivered + a.Queued
		sane := a.Delivered >= 0 && a.Queued >= 0
		for _, counts := range []map[string]int64{a.Dropped, a.Rejected} {
			for _, n := range counts {
				sum += n
				sane = sane && n >= 0
			}
		}
		if !sane || sum != a.Observed {
			t.Errorf("account of %s = %+v; want it to balance", name, a)
		}
	}
	return b
}

// until reads the ledger until it is as asked.
func (p *process) until(t *testing.T, what string, is func(books) bool) books {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		b := p.ledger(t)
		if is(b) {
			return b
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("no %s: %+v\n%s", what, b.Total, p.text())
		}
	}
}
