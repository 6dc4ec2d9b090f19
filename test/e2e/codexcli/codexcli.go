// Package codexcli installs released Codex CLIs and runs `codex exec` with a configuration, a home and a workspace of its
// own, cut off from everything but loopback.
package codexcli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// Result is how a run ended. Note that a run that fails (an exit code other than 0) ends without flushing the CLI's own
// telemetry: what it recorded in its last second may be missing.
type Result struct {
	ExitCode  int
	Stdout    string
	Stderr    string
	Workspace string   // the directory that the agent worked in; it goes with its home
	Contacted []string // hosts other than loopback that the CLI wanted to reach, and was kept from
}

// Exec runs the CLI with prompt until it ends, and fails the test when it cannot be run or does not end in time. An exit
// code other than 0 is for the caller to judge.
func (c CLI) Exec(tb testing.TB, cfg *Config, prompt string) Result {
	tb.Helper()
	result, err := c.exec(tb, cfg, prompt)
	if err != nil {
		tb.Fatalf("run codex %s: %v\n%s", c.Version, err, result.Stderr)
	}
	return result
}

func (c CLI) exec(tb testing.TB, cfg *Config, prompt string) (Result, error) {
	tb.Helper()
	home := cfg.Home
	if home == nil {
		home = NewHome(tb)
	}
	result := Result{Workspace: home.Workspace}
	if err := home.write(cfg); err != nil {
		return result, err
	}
	fence, err := newFence(tb.Context())
	if err != nil {
		return result, err
	}
	defer fence.Close()

	timeout := cmp.Or(cfg.Timeout, time.Minute)
	ctx, cancel := context.WithTimeout(tb.Context(), timeout)
	defer cancel()
	args := append([]string{"exec", "--skip-git-repo-check"}, cfg.Args...)
	cmd := exec.CommandContext(ctx, c.Path, append(args, "--", prompt)...)
	cmd.Dir = result.Workspace
	cmd.Env = append([]string{
		"HOME=" + home.dir,
		"CODEX_HOME=" + home.codexDir(),
		"PATH=" + os.Getenv("PATH"),
		"SHELL=/bin/sh",
		"TERM=xterm",
		"LANG=C.UTF-8",
		apiKeyVariable + "=" + cmp.Or(cfg.APIKey, "sk-test"),
		"HTTP_PROXY=" + fence.URL(),
		"HTTPS_PROXY=" + fence.URL(),
		"NO_PROXY=127.0.0.1,localhost",
	}, cfg.Env...)
	if cfg.ExportAtOnce {
		cmd.Env = append(cmd.Env, "OTEL_BLRP_SCHEDULE_DELAY=1") // in milliseconds
	}
	// The agent's commands are its children, and must not outlive a run that is cut short.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	defer func() {
		if cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // most often there is nobody left
		}
	}()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	result.Stdout, result.Stderr = stdout.String(), stderr.String()
	result.Contacted = fence.Contacted()
	if ctx.Err() != nil {
		return result, fmt.Errorf("not ended in %s: %w", timeout, err)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		result.ExitCode = exit.ExitCode()
		return result, nil
	}
	return result, err
}
