package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/spf13/cobra"

	"github.com/codex-proxy/codex-proxy/config"
)

// The exit codes.
const (
	exitFailure = 1 // it did not work
	exitUsage   = 2 // it was asked for wrongly: arguments or configuration
)

// run carries out a command line and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return (&app{stdin: stdin, stdout: stdout, stderr: stderr}).run(ctx, args)
}

// app is what the commands have in common.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	// onListen is told the address of the listener; nil tells nobody.
	onListen func(net.Addr)
}

// run carries out a command line and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	cmd := a.rootCommand()
	cmd.SetArgs(args)
	cmd.SetIn(a.stdin)
	cmd.SetOut(a.stdout)
	cmd.SetErr(a.stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil || quietReport(args) {
		return 0
	}
	if problems, ok := errors.AsType[config.Problems](err); ok {
		for _, problem := range problems {
			fmt.Fprintf(a.stderr, "codex-proxy: %v\n", problem)
		}
		return exitUsage
	}
	fmt.Fprintf(a.stderr, "codex-proxy: %v\n", err)
	if _, ok := errors.AsType[*failure](err); ok {
		return exitFailure
	}
	return exitUsage
}

// failure is an error that a better command line would not have avoided.
type failure struct{ error }

// Unwrap returns the error itself.
func (f *failure) Unwrap() error { return f.error }

// failed makes a command's errors failures, so that what is left are errors of usage, which cobra finds itself.
func failed(command func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := command(cmd, args); err != nil {
			return &failure{err}
		}
		return nil
	}
}

// rootCommand returns the command tree. Without a command the proxy serves.
func (a *app) rootCommand() *cobra.Command {
	var source source
	root := &cobra.Command{
		Use:           "codex-proxy",
		Short:         "Instrumenting reverse proxy between a coding agent and /v1/responses",
		Version:       buildVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          failed(func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context(), source) }),
	}
	source.flags(root)
	root.AddCommand(a.serveCommand(), a.healthCommand(), a.configCommand(), a.tailCommand(), a.reportCommand(), a.ledgerCommand(), a.exportCommand(), a.doctorCommand(), a.demoCommand())
	return root
}
