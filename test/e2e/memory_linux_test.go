package e2e_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// noCore is the line of a limits file that allows no core dumps.
var noCore = regexp.MustCompile(`(?m)^Max core file size +0 +0 +bytes`)

// TestMemoryStaysHome runs the binary, as another user where that is possible, and looks at it as the system does: no core
// dumps, and nothing of its memory for other programs of its user. Its own metrics still know the process.
func TestMemoryStaysHome(t *testing.T) {
	command := serveCommand(t, responsestest.NewServer(t).BaseURL(), "")
	root := os.Getuid() == 0
	if root {
		binary, config := openToAll(t, command.Path), openToAll(t, command.Args[3])
		command.Path, command.Args[0], command.Args[3] = binary, binary, config
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	}
	p := start(t, command)
	own := fmt.Sprintf("/proc/%d/", p.process.Pid)
	limits, err := os.ReadFile(own + "limits")
	if err != nil {
		t.Fatal(err)
	}
	if !noCore.Match(limits) {
		t.Errorf("limits are\n%s\nwant no core dumps", limits)
	}
	// The files of a process that must not be dumped are root's.
	info, err := os.Stat(own + "mem")
	if err != nil {
		t.Fatal(err)
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; owner != 0 {
		t.Errorf("memory is %d's to read; want root's alone", owner)
	}
	if !root {
		if _, err := os.ReadFile(own + "environ"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("environment: %v; want no permission", err)
		}
	}
	metrics := p.metrics(t)
	for _, series := range []string{"process_open_fds", "process_resident_memory_bytes"} {
		if metrics[series] == 0 {
			t.Errorf("%s is missing from the metrics", series)
		}
	}
	// The system counts in hundredths of a second, and a fast start takes less than one.
	if _, ok := metrics["process_cpu_seconds_total"]; !ok {
		t.Errorf("process_cpu_seconds_total is missing from the metrics")
	}
	if text := p.log.String(); strings.Contains(text, "core dumps") {
		t.Errorf("log has %q", text)
	}
}

// openToAll copies a file to where any user may read and run it, and returns its path.
func openToAll(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "codex-proxy-e2e-") //nolint:usetesting // t.TempDir is below what only this user may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	copied := folder + "/file"
	if err := errors.Join(os.Chmod(folder, 0o755), os.WriteFile(copied, content, 0o600), os.Chmod(copied, 0o755)); err != nil {
		t.Fatal(err)
	}
	return copied
}
