package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/events"
)

// doctorEvent is the name of the record that doctor sends.
const doctorEvent = "codex_proxy.doctor"

// checkCollector sends one record, marked as its own, and says what became of it.
func (d *doctor) checkCollector(ctx context.Context, cfg *config.Config) []finding {
	const check = "collector"
	if cfg.OTel.Exporter.None() {
		return []finding{{check, statusOK, `exporter = "none": nothing is sent`}}
	}
	kind, name := exporterKind(cfg.OTel.Exporter), collectorURL(cfg.OTel.Exporter)
	exporter, err := newExporter(cfg, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return []finding{{check, statusFail, err.Error()}}
	}
	defer exporter.Close()
	if cfg.OTel.Exporter.HTTP != nil {
		d.askTime(ctx, name, cfg.OTel.Exporter.HTTP.TLS)
	}
	id, now := rand.Text(), time.Now()
	exporter.Record(doctorRecord(cfg, id, now))
	_ = exporter.Flush(ctx) // The books tell more.
	took := time.Since(now).Round(time.Millisecond)
	switch stats := exporter.Stats(); {
	case stats.Delivered > 0:
		return []finding{{check, statusOK, fmt.Sprintf("%s (%s) took the record %s with event.id %s in %s", name, kind, doctorEvent, id, took)}}
	case stats.Rejected > 0:
		return []finding{{check, statusFail, fmt.Sprintf("%s (%s) answered that it rejected the record (partial success)", name, kind)}}
	case stats.Queued > 0:
		return []finding{{check, statusFail, fmt.Sprintf("%s (%s) did not take a record, a proxy would try again: %s", name, kind, orElse(stats.LastError, "no answer in time"))}}
	default:
		return []finding{{check, statusFail, fmt.Sprintf("%s (%s) refused a record for good: %s", name, kind, stats.LastError)}}
	}
}

// doctorRecord is a record that nobody takes for one of an agent.
func doctorRecord(cfg *config.Config, id string, now time.Time) events.Record {
	at := uint64(now.UnixNano())
	text := func(s string) events.Value { return events.Value{Kind: events.ValueText, Text: s} }
	return events.Record{
		Event: &events.Foreign{
			Origin: &events.Origin{
				Resource: []events.Pair{
					events.TextPair("service.name", cfg.OTel.ServiceName), events.TextPair("env", cfg.OTel.Environment),
				},
				ScopeName: "codex-proxy", ScopeVersion: buildVersion(),
			},
			RecordName: doctorEvent, TimeUnixNano: at, ObservedUnixNano: at, SeverityNumber: 9, SeverityText: "INFO",
			Body:       text("sent by codex-proxy doctor to see whether it arrives"),
			Attributes: []events.Pair{events.TextPair("event.name", doctorEvent), events.TextPair("event.id", id)},
		},
		Scope: &events.Scope{Resource: &events.Resource{}}, Time: now, ID: id,
	}
}

// askTime asks an HTTP collector for nothing, to see its clock. What fails here fails the record too, which tells why.
func (d *doctor) askTime(ctx context.Context, name string, files *config.TLS) {
	trust, err := clientTLS(files)
	if err != nil {
		return
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, name, http.NoBody)
	if err != nil {
		return
	}
	begun := time.Now()
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: trust}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return
	}
	res.Body.Close()
	d.noteClock(name, res.Header, begun.Add(time.Since(begun)/2))
}

// collectorURL returns where an exporter sends, without credentials.
func collectorURL(exporter config.Exporter) string {
	if exporter.HTTP != nil {
		return redactedURL(exporter.HTTP.Endpoint)
	}
	return redactedURL(exporter.GRPC.Endpoint)
}

func orElse(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}
