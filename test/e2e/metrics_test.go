package e2e_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The series of the export.
const (
	delivered   = "codex_proxy_export_delivered_total"
	failedTries = "codex_proxy_export_failed_tries_total"
	queued      = "codex_proxy_export_queued"
)

// dropped is the series of records dropped for a reason.
func dropped(reason string) string {
	return `codex_proxy_export_dropped_total{reason="` + reason + `"}`
}

// metrics are the values of a scrape by series.
type metrics map[string]float64

// metrics scrapes the proxy.
func (p *proxy) metrics(t *testing.T) metrics {
	t.Helper()
	status, text := get(t.Context(), t, p.url+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("/metrics = %d; want 200: %s", status, text)
	}
	values := metrics{}
	for line := range strings.Lines(text) {
		series, number, ok := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(series, "#") || !ok {
			continue
		}
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			t.Fatalf("/metrics has a line %q; want a number", line)
		}
		values[series] = value
	}
	return values
}

// sum adds up the series of a name, whatever their labels.
func (m metrics) sum(name string) float64 {
	var sum float64
	for series, value := range m {
		if bare, _, _ := strings.Cut(series, "{"); bare == name {
			sum += value
		}
	}
	return sum
}

// observed is the number of records made; in the schema "typed" each event makes one.
func (m metrics) observed() float64 { return m.sum("codex_proxy_events_total") }

// checkBalance checks that every record is accounted for.
func (m metrics) checkBalance(t *testing.T) {
	t.Helper()
	if accounted := m.accounted(); m.observed() != accounted {
		t.Errorf("%v records observed, %v delivered, waiting or dropped; want the same: %v", m.observed(), accounted, m)
	}
}

// accounted is how many records are delivered, waiting or dropped.
func (m metrics) accounted() float64 {
	return m[delivered] + m[queued] + m.sum("codex_proxy_export_dropped_total")
}

// settled reports whether the scrape is of one moment: a scrape reads one counter after the other, and a record on its way may be
// counted as waiting and as delivered.
func (m metrics) settled() bool {
	_, exports := m[queued]
	return !exports || m.observed() == m.accounted()
}

// waitMetrics returns the first scrape of one moment for which enough reports true. The books must balance then.
func (p *proxy) waitMetrics(t *testing.T, enough func(metrics) bool) metrics {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		scraped := p.metrics(t)
		if enough(scraped) && scraped.settled() {
			p.ledger(t)
			return scraped
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("metrics do not get where they should: %v", scraped)
		}
	}
}
