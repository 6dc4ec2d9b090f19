package sdk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// playTimeout bounds a scenario, which takes some milliseconds, or a second where an SDK waits before it asks again.
const playTimeout = time.Minute

// Player is a running script, in a process with an environment of its own.
type Player struct {
	script string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *bytes.Buffer // safe to read once the process has ended

	mu sync.Mutex // one scenario at a time
}

// Start runs a script, such as "openai.mjs", until the test ends. It fails the test when it cannot.
func (k Kit) Start(tb testing.TB, script, apiKey string) *Player {
	tb.Helper()
	home := tb.TempDir()
	if err := k.place(home); err != nil {
		tb.Fatalf("place scripts: %v", err)
	}
	p := &Player{script: script, cmd: exec.Command("node", script), stderr: new(bytes.Buffer)}
	p.cmd.Dir = home
	p.cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "OPENAI_API_KEY=" + apiKey}
	p.cmd.Stderr = p.stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		tb.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		tb.Fatalf("start %s: %v", script, err)
	}
	tb.Cleanup(func() {
		// With the end of its input the script ends, unless the SDK still holds on to something.
		p.in.Close()
		defer time.AfterFunc(playTimeout, func() { _ = p.cmd.Process.Kill() }).Stop()
		if err := p.cmd.Wait(); err != nil {
			tb.Errorf("%s ended with %v\n%s", script, err, p.stderr)
		}
	})
	return p
}

// Play plays a scenario against the API at baseURL and returns what the SDK made of the answers, as JSON. It fails the test
// where the script fails.
func (p *Player) Play(tb testing.TB, scenario, baseURL string) json.RawMessage {
	tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	line, err := json.Marshal(map[string]string{"scenario": scenario, "baseURL": baseURL})
	if err != nil {
		tb.Fatal(err)
	}
	defer time.AfterFunc(playTimeout, func() { _ = p.cmd.Process.Kill() }).Stop()
	result, err := p.exchange(line)
	if err != nil {
		tb.Errorf("play %s of %s: %v", scenario, p.script, err)
		return nil
	}
	return result
}

// exchange writes a line and reads one.
func (p *Player) exchange(line []byte) (json.RawMessage, error) {
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	result, err := p.out.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	return result, nil
}

// place puts the scripts into a directory from which they find the packages.
func (k Kit) place(dir string) error {
	if err := os.CopyFS(dir, scripts); err != nil {
		return err
	}
	return os.Symlink(k.modules, filepath.Join(dir, "node_modules"))
}
