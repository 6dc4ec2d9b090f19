package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

func compareCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	files := flags.String("targets", "targets/targets.json", "comma-separated targets files")
	only := flags.String("only", "", "comma-separated target names; empty for all")
	modeNames := flags.String("modes", "check,paced,flood,large", "comma-separated modes, or check")
	rounds := flags.Int("rounds", 3, "measured rounds per mode")
	duration := flags.Duration("t", 5*time.Second, "length of one run")
	rig := rig{}
	flags.StringVar(&rig.proxyCPUs, "proxy-cpus", "", "taskset list for the proxies; empty leaves them free")
	flags.StringVar(&rig.rigCPUs, "rig-cpus", "", "taskset list for the upstream and the receiver; give the same to this program")
	flags.StringVar(&rig.logs, "logs", "", "folder for the proxies' output; empty discards it")
	flags.StringVar(&rig.proxy, "proxy", "../bin/codex-proxy", "binary of codex-proxy")
	quiet := flags.Float64("quiet", 0.15, "repeat a run, up to 3 times in all, in which others used more than this share of a core")
	out := flags.String("o", "", "file to write one JSON result per line to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var names []string
	if *only != "" {
		names = strings.Split(*only, ",")
	}
	targets, err := readTargets(strings.Split(*files, ","), names)
	if err != nil {
		return err
	}
	results := io.Discard
	if *out != "" {
		file, err := os.Create(*out)
		if err != nil {
			return err
		}
		defer file.Close()
		results = file
	}
	defer rig.stop()
	if err := rig.start(ctx); err != nil {
		return err
	}
	c := comparison{rig: &rig, targets: targets, rounds: *rounds, duration: *duration, quiet: *quiet, out: json.NewEncoder(results)}
	for name := range strings.SplitSeq(*modeNames, ",") {
		if name == "check" {
			err = c.checks(ctx)
		} else {
			err = c.mode(ctx, name)
		}
		if err != nil {
			return err
		}
	}
	if err := writeReport(os.Stdout, c.results); err != nil {
		return err
	}
	return c.err()
}

// comparison measures targets in rounds.
type comparison struct {
	rig      *rig
	targets  []Target
	rounds   int
	duration time.Duration
	quiet    float64
	out      *json.Encoder
	results  []Result
	failed   int // checks that found a problem, and runs without a result
}

// err returns an error if anything went wrong.
func (c *comparison) err() error {
	err := totalsOf(c.results).err()
	if c.failed > 0 {
		err = errors.Join(err, fmt.Errorf("%d checks or runs failed", c.failed))
	}
	return err
}

// checks prints which targets pass which checks.
func (c *comparison) checks(ctx context.Context) error {
	verdicts := map[string][]Verdict{}
	for i := range c.targets {
		target := c.targets[i]
		err := c.rig.with(ctx, target, Mode{}, func(client *Client, _ *keeper, _ int) error {
			verdicts[target.Name] = check(ctx, client, c.rig.plain)
			return nil
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "check %s: %v\n", target.Name, err)
			c.failed++
		}
		for _, verdict := range verdicts[target.Name] {
			if verdict.Problem != "" {
				c.failed++
			}
		}
	}
	return writeVerdicts(os.Stdout, c.targets, verdicts)
}

// mode measures all targets in one mode.
func (c *comparison) mode(ctx context.Context, name string) error {
	mode, err := modeNamed(name)
	if err != nil {
		return err
	}
	able := slices.DeleteFunc(slices.Clone(c.targets), func(t Target) bool { return !t.does(name) })
	for round := range c.rounds {
		// Every other round runs backwards, so that a drift of the machine does not favor the targets of one end.
		order := slices.Clone(able)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for i := range order {
			if err := c.one(ctx, order[i], mode, round+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// one measures one target once. A target that fails is told, counted and left out.
func (c *comparison) one(ctx context.Context, target Target, mode Mode, round int) error {
	result, err := quietest(c.quiet, func() (Result, error) { return c.rig.measure(ctx, target, mode, c.duration) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s round %d %s: %v\n", mode.Name, round, target.Name, err)
		c.failed++
		return nil
	}
	result.Target, result.Round = target.Name, round
	c.results = append(c.results, result)
	fmt.Fprintf(os.Stderr, "%s round %d %-12s %8d events %7.2f proxy CPU-s %4.0f%% disturbed %d errors %s\n",
		mode.Name, round, target.Name, result.Events, result.ProxyCPU, 100*result.disturbance(), result.failures(), result.FirstError)
	return c.out.Encode(result)
}
