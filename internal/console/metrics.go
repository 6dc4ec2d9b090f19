package console

import (
	"fmt"
	"net/http"
	"regexp"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/codex-proxy/codex-proxy/events"
)

// maxScrapes bounds the scrapes served at a time.
const maxScrapes = 4

// otherEvents is the label of events that the catalogue does not have.
const otherEvents = "other"

// Metrics counts events and serves the counts, with those of the Go runtime and
// whatever else is registered, in Prometheus' text format. Its labels come from
// fixed sets: nothing in the traffic makes a series. The registry is its own.
type Metrics struct {
	registry *prometheus.Registry
	handler  http.Handler

	// Filled by NewMetrics and not written after.
	events   map[string]outcomes
	requests [6]prometheus.Counter // by first digit of the status; 0 is none
	tokens   tokenCounters
}

type outcomes struct{ ok, failed prometheus.Counter }

type tokenCounters struct{ input, cached, cacheWrite, output, reasoning, total prometheus.Counter }

var _ events.Recorder = (*Metrics)(nil)

// liveHeap adds go_gc_heap_live_bytes, the memory that the last collection found in use: unlike the others it shows a leak
// without the garbage.
var liveHeap = collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/gc/heap/live:bytes$`)}

// NewMetrics returns Metrics for a build of that version.
func NewMetrics(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), events: make(map[string]outcomes)}
	byEvent := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "codex_proxy_events_total",
		Help: "Events observed, by name and outcome.",
	}, []string{"event", "outcome"})
	for _, name := range append(events.Names(), otherEvents) {
		m.events[name] = outcomes{ok: byEvent.WithLabelValues(name, "ok"), failed: byEvent.WithLabelValues(name, "failed")}
	}
	byStatus := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "codex_proxy_api_requests_total",
		Help: "HTTP attempts at a model endpoint, by class of the status; none when no response came.",
	}, []string{"status"})
	for class := range m.requests {
		m.requests[class] = byStatus.WithLabelValues(statusClass(class))
	}
	byType := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "codex_proxy_tokens_total",
		Help: "Tokens that responses were charged with, by type: cached and cache_write are part of input, reasoning of output.",
	}, []string{"type"})
	m.tokens = tokenCounters{
		input:      byType.WithLabelValues("input"),
		cached:     byType.WithLabelValues("cached"),
		cacheWrite: byType.WithLabelValues("cache_write"),
		output:     byType.WithLabelValues("output"),
		reasoning:  byType.WithLabelValues("reasoning"),
		total:      byType.WithLabelValues("total"),
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "codex_proxy_build_info",
		Help:        "1, with the version of the build.",
		ConstLabels: prometheus.Labels{"version": version, "go_version": runtime.Version()},
	}, func() float64 { return 1 })
	m.registry.MustRegister(
		byEvent, byStatus, byType, build,
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(liveHeap)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
	return m
}

func statusClass(digit int) string {
	if digit == 0 {
		return "none"
	}
	return fmt.Sprintf("%dxx", digit)
}

// ServeHTTP serves the metrics.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.handler.ServeHTTP(w, r) }

// Record implements events.Recorder.
func (m *Metrics) Record(r events.Record) {
	counters, ok := m.events[r.Event.EventName()]
	if !ok {
		counters = m.events[otherEvents]
	}
	if r.Event.Failed() {
		counters.failed.Inc()
	} else {
		counters.ok.Inc()
	}
	switch e := r.Event.(type) {
	case *events.APIRequest:
		class := 0
		if e.StatusCode.Set && e.StatusCode.Value >= 100 && e.StatusCode.Value < 600 {
			class = int(e.StatusCode.Value / 100)
		}
		m.requests[class].Inc()
	case *events.SSEEvent:
		if e.Usage != nil {
			m.tokens.add(e.Usage)
		}
	}
}

func (t *tokenCounters) add(u *events.Usage) {
	add(t.input, u.Input)
	add(t.cached, u.Cached.Value)
	add(t.cacheWrite, u.CacheWrite.Value)
	add(t.output, u.Output)
	add(t.reasoning, u.Reasoning.Value)
	add(t.total, u.Total)
}

// add adds a number that came from the upstream. A counter panics on a negative
// one.
func add(c prometheus.Counter, n int64) {
	if n > 0 {
		c.Add(float64(n))
	}
}

// CounterFunc adds a counter whose value f tells; by convention its name ends in
// _total. Counters of one name need the same help and the same label names. f is
// called with every scrape, from any goroutine.
func (m *Metrics) CounterFunc(name, help string, labels map[string]string, f func() float64) error {
	return m.register(name, prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, f))
}

// GaugeFunc adds a gauge whose value f tells. See CounterFunc.
func (m *Metrics) GaugeFunc(name, help string, labels map[string]string, f func() float64) error {
	return m.register(name, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, f))
}

func (m *Metrics) register(name string, c prometheus.Collector) error {
	if err := m.registry.Register(c); err != nil {
		return fmt.Errorf("register metric %s: %w", name, err)
	}
	return nil
}
