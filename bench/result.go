package main

import (
	"slices"
	"time"
)

// Quantiles of a set of durations, in microseconds.
type Quantiles struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
}

func quantiles(values []time.Duration) Quantiles {
	if len(values) == 0 {
		return Quantiles{}
	}
	slices.Sort(values)
	at := func(q float64) float64 {
		return float64(values[int(q*float64(len(values)-1))]) / 1e3
	}
	return Quantiles{at(.5), at(.9), at(.99), at(.999)}
}

// Result is the outcome of one run. CPU figures are in seconds, memory in bytes. The proxy's figures are zero when no
// process id was given.
type Result struct {
	Target string `json:"target"`
	Mode   string `json:"mode"`
	Round  int    `json:"round"`

	Seconds float64 `json:"seconds"`
	Streams int     `json:"streams"` // complete ones; in idle modes, those held open
	Events  int     `json:"events"`  // delta events
	Bytes   int64   `json:"bytes"`   // of response bodies
	Sent    int64   `json:"sent"`    // of request bodies

	Latency   Quantiles `json:"latency_us"`    // upstream's stamp to arrival
	FirstByte Quantiles `json:"first_byte_us"` // request to first body byte

	Errors          int    `json:"errors"`           // streams that failed
	FirstError      string `json:"first_error"`      // the first failure's text
	ResponseAltered int    `json:"response_altered"` // streams whose bytes differ from those sent
	RequestAltered  int    `json:"request_altered"`  // requests whose bytes differ from those received
	OldHTTP         int64  `json:"old_http"`         // requests that reached a TLS upstream without HTTP/2
	Repeated        int    `json:"repeated"`         // streams of disturbed tries, whose faults and books are added here

	ProxyCPU    float64 `json:"proxy_cpu"` // until the telemetry of the run was delivered, where it is
	UpstreamCPU float64 `json:"upstream_cpu"`
	LoadCPU     float64 `json:"load_cpu"`
	SinkCPU     float64 `json:"sink_cpu"`
	ForeignCPU  float64 `json:"foreign_cpu"` // anything else on the machine
	StolenCPU   float64 `json:"stolen_cpu"`  // by the host
	Window      float64 `json:"window"`      // seconds that the CPU figures are about

	RSSBefore int64 `json:"rss_before"` // after warm-up
	RSS       int64 `json:"rss"`        // at the end, in idle modes with all streams open
	PSS       int64 `json:"pss"`
	Peak      int64 `json:"peak"` // most that was resident since the start

	Books Books `json:"books"`
}

// disturbance is the share of a core that others took during the run: other processes here, and other guests of the
// host.
func (r Result) disturbance() float64 {
	return per(r.ForeignCPU+r.StolenCPU, r.Window)
}

// failures counts streams that failed, and requests that fell back from HTTP/2, which is what their mode measures.
func (r Result) failures() int64 { return int64(r.Errors) + r.OldHTTP }

// withFaultsOf adds what another try of the same run counted, so that no fault is lost with the figures that are not kept.
func (r Result) withFaultsOf(other Result) Result {
	r.Repeated += other.Streams + other.Repeated
	r.Errors += other.Errors
	if r.FirstError == "" {
		r.FirstError = other.FirstError
	}
	r.ResponseAltered += other.ResponseAltered
	r.RequestAltered += other.RequestAltered
	r.OldHTTP += other.OldHTTP
	r.Books = r.Books.plus(other.Books)
	return r
}

// quietest repeats a run, up to three times in all, while others on the machine take more than a share of a core. Figures
// are those of the least disturbed try, faults those of all.
func quietest(share float64, measure func() (Result, error)) (Result, error) {
	best, err := measure()
	if err != nil {
		return best, err
	}
	for try := 1; try < 3 && best.disturbance() > share; try++ {
		next, err := measure()
		if err != nil {
			return best, err
		}
		if next.disturbance() < best.disturbance() {
			best, next = next, best
		}
		best = best.withFaultsOf(next)
	}
	return best, nil
}

// per divides, with zero for a missing denominator.
func per(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
