// Command bench measures codex-proxy beside other reverse proxies, all in front of one mock of a streaming
// /v1/responses endpoint, on one Linux machine, over loopback.
//
// It has the mock upstream, an OTLP receiver that counts, a closed-loop load client, two reference proxies (a bare
// httputil.ReverseProxy and a raw TCP splice), and a driver that starts any number of proxies one after another,
// measures each of them in interleaved rounds and prints tables. Every run is bounded in count and time, and only
// processes that it started itself are ever signaled.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: bench COMMAND [flags]

  compare    start the targets of a file in turn, measure, print tables
  report     print tables from result files of compare
  growth     what codex-proxy takes: start, size, memory
  load       one load run against a base URL
  check      byte, status, header and cancellation fidelity of a base URL
  upstream   mock Responses API
  sink       OTLP receiver that counts
  barego     reference proxy: httputil.ReverseProxy
  tcpsplice  reference proxy: io.Copy between two TCP sockets

bench COMMAND -h lists the flags.
`

func main() {
	commands := map[string]func(context.Context, []string) error{
		"compare":   compareCommand,
		"report":    reportCommand,
		"growth":    growthCommand,
		"load":      loadCommand,
		"check":     checkCommand,
		"upstream":  upstreamCommand,
		"sink":      sinkCommand,
		"barego":    bareGoCommand,
		"tcpsplice": tcpSpliceCommand,
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := commands[os.Args[1]](ctx, os.Args[2:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintf(os.Stderr, "bench %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
