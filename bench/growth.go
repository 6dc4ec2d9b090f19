package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// growthCommand measures what codex-proxy takes of a machine, apart from traffic.
func growthCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("growth", flag.ContinueOnError)
	files := flags.String("targets", "targets/targets.json", "comma-separated targets files")
	name := flags.String("target", "us-all", "the target")
	rig := rig{}
	flags.StringVar(&rig.proxy, "proxy", "../bin/codex-proxy", "binary of codex-proxy")
	starts := flags.Int("starts", 21, "how often to start it")
	limit := flags.Int("limit", 64, "GOMEMLIMIT in MiB for the second of two floods with 1 MB requests")
	if err := flags.Parse(args); err != nil {
		return err
	}
	targets, err := readTargets(strings.Split(*files, ","), []string{*name})
	if err != nil {
		return err
	}
	defer rig.stop()
	if err := rig.start(ctx); err != nil {
		return err
	}
	g := growth{rig: &rig, target: targets[0]}
	for _, figure := range []func(context.Context) error{
		g.size,
		func(ctx context.Context) error { return g.starts(ctx, *starts) },
		g.idle,
		func(ctx context.Context) error { return g.flooded(ctx, *limit) },
	} {
		if err := figure(ctx); err != nil {
			return err
		}
	}
	return nil
}

// growth measures one target.
type growth struct {
	rig    *rig
	target Target
}

func (g growth) size(context.Context) error {
	info, err := os.Stat(g.rig.proxy)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "binary                          %6.1f MB\n", float64(info.Size())/1e6)
	return err
}

// starts measures the time from the start of the process to the first byte of a stream through it.
func (g growth) starts(ctx context.Context, times int) error {
	var took []time.Duration
	for range times {
		d, err := g.start(ctx)
		if err != nil {
			return err
		}
		took = append(took, d)
	}
	slices.Sort(took)
	_, err := fmt.Fprintf(os.Stdout, "start to first byte             %6.1f ms (median of %d; best %.1f, worst %.1f)\n",
		milliseconds(took[len(took)/2]), times, milliseconds(took[0]), milliseconds(took[len(took)-1]))
	return err
}

func (g growth) start(ctx context.Context) (time.Duration, error) {
	dir, err := os.MkdirTemp(g.rig.dir, "start-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	e, err := g.rig.expander(g.target, Mode{}, dir)
	if err != nil {
		return 0, err
	}
	if err := g.target.render(e, dir); err != nil {
		return 0, err
	}
	url, command, env := e.expand(g.target.URL), e.expand(g.target.Start), e.expandMap(g.target.Env)
	if err := e.err(); err != nil {
		return 0, err
	}
	client := newClient(url, 1, nil)
	defer client.close()
	spec := defaultSpec()
	body := client.body(spec, 0)
	begun := time.Now()
	process, err := startProcess(command, "", env, os.Stderr)
	if err != nil {
		return 0, err
	}
	defer process.stop()
	for time.Since(begun) < 10*time.Second && ctx.Err() == nil {
		response, err := client.open(ctx, spec, body)
		if err != nil {
			pause(ctx, 500*time.Microsecond) // not there yet
			continue
		}
		took := time.Since(begun)
		response.Body.Close()
		return took, nil
	}
	return 0, fmt.Errorf("%s does not serve", g.target.Name)
}

// idle measures the memory of a proxy that has served one stream and waits.
func (g growth) idle(ctx context.Context) error {
	return g.rig.with(ctx, g.target, Mode{}, func(client *Client, _ *keeper, pid int) error {
		spec := defaultSpec()
		if _, err := client.stream(ctx, spec, client.body(spec, 0)); err != nil {
			return err
		}
		pause(ctx, 2*time.Second)
		usage, err := usageOf(pid)
		if err != nil {
			return err
		}
		private, err := privateOf(pid)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(os.Stdout, "idle memory                     %6.1f MB resident, %.1f MB of it its own (the rest is the binary's file)\n",
			float64(usage.RSS)/1e6, float64(private)/1e6)
		return err
	})
}

// flooded measures memory and time while large requests and many events pass, without GOMEMLIMIT and with it.
func (g growth) flooded(ctx context.Context, limit int) error {
	mode, err := modeNamed("large")
	if err != nil {
		return err
	}
	mode.Spec.Events = 200
	var results []Result
	for _, value := range []string{"off", fmt.Sprintf("%dMiB", limit)} {
		target := g.target
		target.Env = map[string]string{"GOMEMLIMIT": value}
		maps.Copy(target.Env, g.target.Env)
		result, err := g.rig.measure(ctx, target, mode, 5*time.Second)
		if err != nil {
			return err
		}
		results = append(results, result)
		if _, err := fmt.Fprintf(os.Stdout, "1 MB requests, GOMEMLIMIT=%-6s%6.1f MB resident, %.1f at the peak, %.2f CPU-s per 1,000 streams (%d streams of 200 events, %d errors)\n",
			value, float64(result.RSS)/1e6, float64(result.Peak)/1e6, cpuPerRequest(result), result.Streams, result.Errors); err != nil {
			return err
		}
	}
	return totalsOf(results).err()
}

// privateOf returns the bytes of a process that are in no file.
func privateOf(pid int) (int64, error) {
	return rollup(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Anonymous:")
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
