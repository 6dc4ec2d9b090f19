// Command codex-proxy is an instrumenting reverse proxy between a coding agent and /v1/responses.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker; see buildVersion.
var version string

func main() {
	if err := undumpable(); err != nil {
		fmt.Fprintf(os.Stderr, "codex-proxy: core dumps stay on: %v\n", err)
	}
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	// Under nohup a terminal that goes away is to be ignored.
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	// The first signal shuts down in an orderly way, a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
