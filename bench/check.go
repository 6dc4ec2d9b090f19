package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// Verdict is the outcome of one fidelity check; an empty Problem is a pass.
type Verdict struct {
	Name    string `json:"name"`
	Problem string `json:"problem"`
}

func checkCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	baseURL := flags.String("url", "http://127.0.0.1:9100/v1", "base URL of the proxy; /responses is appended")
	upstream := flags.String("upstream", "http://127.0.0.1:9100", "mock upstream")
	model := flags.String("model", "*", "model name to send, * standing for the stream parameters")
	headers := headerFlag{}
	flags.Var(headers, "H", "header to send, as Name: value; may be repeated")
	if err := flags.Parse(args); err != nil {
		return err
	}
	client := newClient(*baseURL, 4, nil)
	client.Header, client.Model = headers, *model
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, verdict := range check(ctx, client, *upstream) {
		outcome := "ok"
		if verdict.Problem != "" {
			outcome = "FAIL " + verdict.Problem
		}
		fmt.Fprintf(table, "%s\t%s\n", verdict.Name, outcome)
	}
	return table.Flush()
}

// check sends one request of every kind and compares what arrives with what
// the upstream does for a direct request.
func check(ctx context.Context, client *Client, upstream string) []Verdict {
	c := checker{client: client, direct: newClient(upstream+"/v1", 4, nil), upstream: upstream}
	defer c.direct.close()
	with := func(change func(*Spec)) Spec {
		spec := defaultSpec()
		spec.Events = 20
		change(&spec)
		return spec
	}
	cases := []struct {
		name string
		run  func(context.Context) error
	}{
		{"stream bytes", func(ctx context.Context) error { return c.bytes(ctx, with(func(*Spec) {}), 0) }},
		{"1 MB request bytes", func(ctx context.Context) error { return c.bytes(ctx, with(func(*Spec) {}), 1<<20) }},
		{"250 KB event", func(ctx context.Context) error { return c.bytes(ctx, with(func(s *Spec) { s.Big = 250_000 }), 0) }},
		{"events not held back", c.prompt},
		{"truncated stream", c.truncated},
		{"client gone", c.gone},
		{"headers", func(ctx context.Context) error { return c.headers(ctx, with(func(*Spec) {})) }},
		{"status 401", func(ctx context.Context) error { return c.headers(ctx, with(func(s *Spec) { s.Status = 401 })) }},
		{"status 429", func(ctx context.Context) error { return c.headers(ctx, with(func(s *Spec) { s.Status = 429 })) }},
		{"status 500", func(ctx context.Context) error { return c.headers(ctx, with(func(s *Spec) { s.Status = 500 })) }},
	}
	var verdicts []Verdict
	for _, test := range cases {
		verdict := Verdict{Name: test.name}
		limited, cancel := context.WithTimeout(ctx, 20*time.Second)
		if err := test.run(limited); err != nil {
			verdict.Problem = strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		cancel()
		verdicts = append(verdicts, verdict)
	}
	return verdicts
}
