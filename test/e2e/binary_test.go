package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// builtVersion is what the built binary calls its version.
	builtVersion = "v0.0.0-e2e"
	// startTimeout bounds the start of a proxy, which takes some milliseconds on an idle machine.
	startTimeout = 20 * time.Second
	// stopTimeout bounds the end of a proxy. Those with less time to shut down have tests that measure it.
	stopTimeout = 60 * time.Second
)

// static builds the binary once, with the flags of the Dockerfile, and returns its path.
//
// It is beside the test's own executable, in a directory that the go command removes with it.
var static = sync.OnceValues(func() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find test executable: %w", err)
	}
	file := filepath.Join(filepath.Dir(self), "codex-proxy")
	command := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+builtVersion,
		"-o", file, "./cmd/codex-proxy")
	command.Dir = filepath.Join("..", "..")
	command.Env = append(command.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build proxy: %w\n%s", err, out)
	}
	return file, nil
})

// proxy is a running process of the binary.
type proxy struct {
	url  string // http://host:port
	port string
	log  *proxyLog

	conversations int // held through it

	state  string // its state directory, if it keeps one
	served []byte // the ledger that was read last

	process *os.Process
	ended   chan struct{} // closed once the process ended, with err
	err     error
	// terminate checks that its books balance and asks it once to end, with SIGTERM: a second signal would end it at once.
	terminate func()
	// stop terminates it, waits for its end and wants exit code 0. Later calls do nothing.
	stop func()
}

// serve runs the proxy in front of an upstream, with a configuration in TOML, on a free port, and with nothing in its environment
// but a state directory of its own.
func serve(t *testing.T, upstream, toml string) *proxy {
	t.Helper()
	return start(t, serveCommand(t, upstream, toml))
}

// serveCommand returns the command that [serve] runs.
func serveCommand(t *testing.T, upstream, toml string) *exec.Cmd {
	t.Helper()
	binary, err := static()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "codex-proxy.toml")
	if err := os.WriteFile(file, []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, "serve", "--config", file, "--listen", "127.0.0.1:0", "--upstream", upstream)
	command.Env = []string{"XDG_STATE_HOME=" + t.TempDir()}
	return command
}

// start runs a command that serves and returns once it is ready. It is stopped when the test ends.
func start(t *testing.T, command *exec.Cmd) *proxy {
	t.Helper()
	p := &proxy{log: &proxyLog{served: make(chan struct{})}, ended: make(chan struct{}), state: stateDir(command)}
	command.Stderr = p.log
	if err := command.Start(); err != nil {
		t.Fatalf("start proxy: %v", err)
	}
	p.process = command.Process
	go func() {
		p.err = command.Wait()
		close(p.ended)
	}()
	p.terminate = sync.OnceFunc(func() {
		defer func() { _ = p.process.Signal(syscall.SIGTERM) }() // fails if it ended
		p.balance(t)
	})
	p.stop = sync.OnceFunc(func() { p.end(t) })
	t.Cleanup(p.stop)
	select {
	case <-p.log.served:
	case <-p.ended:
		t.Fatalf("proxy ended at once: %v\n%s", p.err, p.log)
	case <-time.After(startTimeout):
		t.Fatalf("proxy does not serve\n%s", p.log)
	}
	host, port, err := net.SplitHostPort(p.log.address)
	if err != nil {
		t.Fatal(err)
	}
	if net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1" // which such a listener has, too
	}
	p.port, p.url = port, "http://"+net.JoinHostPort(host, port)
	// The listener is open by now, so that the request waits in its backlog until the server takes it.
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	if status, body := get(ctx, t, p.url+"/healthz"); status != http.StatusOK {
		t.Fatalf("/healthz = %d; want 200: %s", status, body)
	}
	return p
}

// end terminates the process and wants exit code 0.
func (p *proxy) end(t *testing.T) {
	t.Helper()
	p.terminate()
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		t.Error("proxy does not stop")
		_ = p.process.Kill()
		<-p.ended
	}
	if p.err != nil {
		t.Errorf("proxy ended with %v; want exit code 0\n%s", p.err, p.log)
	}
	p.leaves(t)
}

// proxyLog is what a proxy writes to standard error.
type proxyLog struct {
	served  chan struct{} // closed once address is known
	address string        // where the proxy listens

	mu   sync.Mutex
	text bytes.Buffer
}

var servingLine = regexp.MustCompile(`msg=serving listen=(\S+) .*\n`)

// Write keeps text and looks for the address in it.
func (l *proxyLog) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(text)
	if l.address == "" {
		if match := servingLine.FindSubmatch(l.text.Bytes()); match != nil {
			l.address = string(match[1])
			close(l.served)
		}
	}
	return len(text), nil
}

// String returns what was written so far.
func (l *proxyLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
