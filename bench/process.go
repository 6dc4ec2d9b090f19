package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is a started command in a process group of its own.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the command has ended
}

// startProcess runs a shell command on the CPUs of a taskset list, or on any.
func startProcess(command, cpus string, env map[string]string, output io.Writer) (*process, error) {
	words := []string{"sh", "-c", "exec " + command}
	if cpus != "" {
		words = append([]string{"taskset", "-c", cpus}, words...)
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = os.Environ()
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// ready waits until url answers, with whatever status.
func (p *process) ready(ctx context.Context, url string) error {
	return p.readyAfter(ctx, url, 50*time.Millisecond)
}

// readyAfter is ready with the time between two tries.
func (p *process) readyAfter(ctx context.Context, url string, between time.Duration) error {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for start := time.Now(); time.Since(start) < 30*time.Second; {
		select {
		case <-p.done:
			return errors.New("ended before it was ready")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(between):
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		if response, err := client.Do(r); err == nil {
			response.Body.Close()
			return nil
		}
	}
	return errors.New("not ready after 30s")
}

// stop ends the process, if need be with its whole group.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
	}
	_ = syscall.Kill(-p.pid(), syscall.SIGKILL)
	<-p.done
}

// freeAddr asks the kernel for a loopback address that nothing listens on.
func freeAddr() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
