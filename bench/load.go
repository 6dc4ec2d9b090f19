package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

func loadCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	baseURL := flags.String("url", "http://127.0.0.1:9100/v1", "base URL of the proxy; /responses is appended")
	upstream := flags.String("upstream", "http://127.0.0.1:9100", "mock upstream, asked for digests; empty to skip")
	modeName := flags.String("mode", "paced", "a mode of compare")
	duration := flags.Duration("t", 5*time.Second, "how long to start streams")
	pid := flags.Int("pid", 0, "process id of the proxy, for CPU and memory")
	upstreamPID := flags.Int("upstream-pid", 0, "process id of the upstream, for CPU")
	concurrency := flags.Int("c", 0, "concurrent streams, if not the mode's own")
	spec := flags.String("spec", "", "stream parameters such as mock-events50-delay5ms, if not the mode's own")
	name := flags.String("model", "*", "model name to send, * standing for the stream parameters")
	headers := headerFlag{}
	flags.Var(headers, "H", "header to send, as Name: value; may be repeated")
	if err := flags.Parse(args); err != nil {
		return err
	}
	mode, err := modeNamed(*modeName)
	if err != nil {
		return err
	}
	if *concurrency > 0 {
		mode.Concurrency = *concurrency
	}
	if *spec != "" {
		if mode.Spec, err = parseModel(*spec); err != nil {
			return err
		}
	}
	client := newClient(*baseURL, mode.Concurrency, nil)
	client.Header, client.Model = headers, *name
	result, err := Run{
		Client: client, Mode: mode, Duration: *duration, Upstream: *upstream, ProxyPID: *pid, UpstreamPID: *upstreamPID,
	}.Do(ctx)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(result)
}

// headerFlag collects "Name: value" flags.
type headerFlag map[string]string

func (h headerFlag) String() string { return "" }

// Set implements flag.Value.
func (h headerFlag) Set(line string) error {
	name, value, found := strings.Cut(line, ":")
	if !found {
		return fmt.Errorf("%q is not Name: value", line)
	}
	h[strings.TrimSpace(name)] = strings.TrimSpace(value)
	return nil
}
