package main

import (
	"fmt"
	"slices"
	"strings"
)

// column is one figure of a table: its heading and how to read it off a run. A column may set a run against the
// reference target's run of the same round, which cancels what slowed the whole machine down.
type column struct {
	head      string
	format    string
	value     func(Result) float64
	reference string                     // target, or empty
	against   func(a, b float64) float64 // of run and reference
}

func plain(head, format string, value func(Result) float64) column {
	return column{head: head, format: format, value: value}
}

func ratio(head, reference string, value func(Result) float64) column {
	return column{head, "%.2f", value, reference, per}
}

func overDirect(head string, value func(Result) float64) column {
	return column{head, "%+.0f", value, direct, func(a, b float64) float64 { return a - b }}
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
			plain("errors", "%.0f", func(r Result) float64 { return float64(r.Errors) }),
			plain("disturbed %", "%.0f", func(r Result) float64 { return 100 * r.disturbance() }),
		}
	case slices.Contains([]string{"large", "huge", "growing"}, mode):
		return append([]column{
			plain("requests/s", "%.0f", streamRate),
			plain("sent MB/s", "%.0f", func(r Result) float64 { return per(float64(r.Sent)/1e6, r.Seconds) }),
			plain("CPU-ms/request", "%.2f", cpuPerRequest),
			ratio("of nginx", nginx, cpuPerRequest),
			ratio("of barego-fd", baregoFD, cpuPerRequest),
			plain("first byte p50 µs", "%.0f", func(r Result) float64 { return r.FirstByte.P50 }),
		}, commonColumns()...)
	default:
		return append(eventColumns(), commonColumns()...)
	}
}

// eventColumns tell of the cost and the delay of events.
func eventColumns() []column {
	p50 := func(r Result) float64 { return r.Latency.P50 }
	p99 := func(r Result) float64 { return r.Latency.P99 }
	first := func(r Result) float64 { return r.FirstByte.P50 }
	return []column{
		plain("events/s", "%.0f", func(r Result) float64 { return per(float64(r.Events), r.Seconds) }),
		plain("CPU-s/M events", "%.1f", cpuPerMillion),
		ratio("of nginx", nginx, cpuPerMillion),
		ratio("of barego-fd", baregoFD, cpuPerMillion),
		plain("p50 µs", "%.0f", p50),
		plain("p99", "%.0f", p99),
		overDirect("p50 over direct", p50),
		overDirect("p99 over direct", p99),
		plain("first byte p50 µs", "%.0f", first),
		overDirect("over direct", first),
	}
}

// commonColumns tell of memory, of what went wrong, and of the telemetry.
func commonColumns() []column {
	return []column{
		plain("RSS MiB", "%.1f", func(r Result) float64 { return mib(r.RSS) }),
		plain("errors", "%.0f", func(r Result) float64 { return float64(r.Errors) }),
		plain("altered", "%.0f", func(r Result) float64 { return float64(r.ResponseAltered + r.RequestAltered) }),
		plain("observed", "%.0f", func(r Result) float64 { return float64(r.Books.Observed) }),
		plain("not received", "%.0f", func(r Result) float64 { return float64(r.Books.Observed - r.Books.Distinct) }),
		plain("disturbed %", "%.0f", func(r Result) float64 { return 100 * r.disturbance() }),
	}
}

// cell is the median over the runs.
func (c column) cell(runs, reference []Result) string {
	var values []float64
	for i := range runs {
		value := c.value(runs[i])
		if c.reference != "" {
			at := slices.IndexFunc(reference, func(r Result) bool { return r.Round == runs[i].Round })
			if at < 0 {
				continue
			}
			value = c.against(value, c.value(reference[at]))
		}
		values = append(values, value)
	}
	if len(values) == 0 {
		return "-"
	}
	slices.Sort(values)
	return fmt.Sprintf(c.format, (values[len(values)/2]+values[(len(values)-1)/2])/2)
}
