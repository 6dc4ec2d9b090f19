package main

import (
	"fmt"
	"slices"
	"strings"
)

// column is one figure of a table: its heading and how to read it off a run. A figure may set a run against what other
// targets did in the same round, by their names, which cancels what slowed the whole machine down; where they did not run,
// there is none.
type column struct {
	head   string
	format string
	value  func(run Result, round map[string]Result) (float64, bool)
	sum    bool // over all rounds, instead of their median
}

func plain(head, format string, value func(Result) float64) column {
	return column{head: head, format: format, value: func(run Result, _ map[string]Result) (float64, bool) {
		return value(run), true
	}}
}

// total is for what may not happen even once: a median would hide it.
func total(head string, value func(Result) int64) column {
	c := plain(head, "%.0f", func(r Result) float64 { return float64(value(r)) })
	c.sum = true
	return c
}

// ratio leaves out what is not positive, as a difference of two noisy figures may be.
func ratio(head, reference string, value func(Result) float64) column {
	return column{head: head, format: "%.2f", value: func(run Result, round map[string]Result) (float64, bool) {
		other, ok := round[reference]
		a, b := value(run), value(other)
		return per(a, b), ok && a > 0 && b > 0
	}}
}

func overDirect(head string, value func(Result) float64) column {
	return column{head: head, format: "%+.0f", value: func(run Result, round map[string]Result) (float64, bool) {
		bare, ok := round[direct]
		return value(run) - value(bare), ok
	}}
}

// overDirectRatio compares what a target adds to direct with what barego-fd adds.
func overDirectRatio(head string, value func(Result) float64) column {
	return column{head: head, format: "%.2f", value: func(run Result, round map[string]Result) (float64, bool) {
		bare, ok := round[direct]
		over := func(r Result) float64 { return value(r) - value(bare) }
		figure, both := ratio(head, baregoFD, over).value(run, round)
		return figure, ok && both
	}}
}

// References of the ratio columns.
const (
	direct   = "direct"
	nginx    = "nginx"
	baregoFD = "barego-fd"
)

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func cpuPerMillion(r Result) float64 { return per(r.ProxyCPU, float64(r.Events)/1e6) }

func cpuPerRequest(r Result) float64 { return per(1e3*r.ProxyCPU, float64(r.Streams)) }

func perStream(r Result) float64 { return per(float64(r.RSS-r.RSSBefore)/1024, float64(r.Streams)) }

func streamRate(r Result) float64 { return per(float64(r.Streams), r.Seconds) }

// columnsOf chooses the columns for a mode.
func columnsOf(mode string) []column {
	switch {
	case strings.HasPrefix(mode, "idle"):
		return []column{
			plain("streams", "%.0f", func(r Result) float64 { return float64(r.Streams) }),
			plain("RSS before MiB", "%.1f", func(r Result) float64 { return mib(r.RSSBefore) }),
			plain("RSS MiB", "%.1f", func(r Result) float64 { return mib(r.RSS) }),
			plain("KiB/stream", "%.1f", perStream),
			ratio("of barego-fd", baregoFD, perStream),
			plain("CPU %", "%.1f", func(r Result) float64 { return 100 * per(r.ProxyCPU, r.Seconds) }),
			total("errors", Result.failures),
			plain("disturbed %", "%.0f", func(r Result) float64 { return 100 * r.disturbance() }),
		}
	case slices.Contains([]string{"large", "huge", "growing"}, mode):
		return append([]column{
			plain("requests/s", "%.0f", streamRate),
			plain("sent MB/s", "%.0f", func(r Result) float64 { return per(float64(r.Sent)/1e6, r.Seconds) }),
			plain("CPU-ms/request", "%.2f", cpuPerRequest),
			ratio("of nginx", nginx, cpuPerRequest),
			ratio("of barego-fd", baregoFD, cpuPerRequest),
			plain("first byte p50 µs", "%.0f", firstByte),
		}, commonColumns()...)
	case isPaced(mode):
		return slices.Concat(eventColumns(), latencyColumns(), commonColumns())
	default:
		return append(eventColumns(), commonColumns()...)
	}
}

// isPaced reports whether a mode has pauses between events, without which latencies tell of queues alone.
func isPaced(name string) bool {
	mode, err := modeNamed(name)
	return err == nil && mode.Spec.Delay > 0
}

func p50(r Result) float64 { return r.Latency.P50 }

func p99(r Result) float64 { return r.Latency.P99 }

func firstByte(r Result) float64 { return r.FirstByte.P50 }

// eventColumns tell of the cost and the delay of events.
func eventColumns() []column {
	return []column{
		plain("events/s", "%.0f", func(r Result) float64 { return per(float64(r.Events), r.Seconds) }),
		plain("CPU-s/M events", "%.1f", cpuPerMillion),
		ratio("of nginx", nginx, cpuPerMillion),
		ratio("of barego-fd", baregoFD, cpuPerMillion),
		plain("p50 µs", "%.0f", p50),
		plain("p99", "%.0f", p99),
		overDirect("p50 over direct", p50),
		overDirect("p99 over direct", p99),
		plain("first byte p50 µs", "%.0f", firstByte),
		overDirect("over direct", firstByte),
	}
}

// latencyColumns tell of what a proxy adds to the delay, beside a bare one.
func latencyColumns() []column {
	return []column{
		overDirectRatio("p50 over direct, of barego-fd", p50),
		overDirectRatio("p99 over direct, of barego-fd", p99),
		overDirectRatio("first byte over direct, of barego-fd", firstByte),
	}
}

// commonColumns tell of memory, of what went wrong, and of the telemetry.
func commonColumns() []column {
	return []column{
		plain("RSS MiB", "%.1f", func(r Result) float64 { return mib(r.RSS) }),
		total("errors", Result.failures),
		total("altered", func(r Result) int64 { return int64(r.ResponseAltered + r.RequestAltered) }),
		total("observed", func(r Result) int64 { return r.Books.Observed }),
		total("not received", func(r Result) int64 { return r.Books.Observed - r.Books.Distinct }),
		plain("disturbed %", "%.0f", func(r Result) float64 { return 100 * r.disturbance() }),
	}
}

// cell is the sum or the median over the runs of a target, among all runs of the mode by round and target.
func (c column) cell(runs []Result, rounds map[int]map[string]Result) string {
	var values []float64
	var sum float64
	for i := range runs {
		if value, ok := c.value(runs[i], rounds[runs[i].Round]); ok {
			values = append(values, value)
			sum += value
		}
	}
	if len(values) == 0 {
		return "-"
	}
	if c.sum {
		return fmt.Sprintf(c.format, sum)
	}
	slices.Sort(values)
	return fmt.Sprintf(c.format, (values[len(values)/2]+values[(len(values)-1)/2])/2)
}
