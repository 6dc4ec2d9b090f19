package main

import (
	"context"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/otlp"
	"github.com/codex-proxy/codex-proxy/internal/redact"
	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/internal/store"
)

// heldShare is the part of the disk that records which wait to be merged may take.
const heldShare = 8

// mergerConfig returns how records are merged. With a store, what waits is kept in it.
func (s *service) mergerConfig(cfg *config.Config) report.MergerConfig {
	told := s.told(cfg)
	merging := report.MergerConfig{Next: redact.New(told), Grace: cfg.Report.MergeGrace}
	if s.store != nil {
		kept := told
		kept.Next, kept.Uncounted = nil, true
		merging.Journal = journal{exporter: s.exporter, redact: redact.New(kept)}
		merging.MaxHeldBytes = min(report.DefaultMaxHeldBytes, cfg.Store.MaxBytes/heldShare)
	}
	return merging
}

// journal keeps what waits to be merged as it would be told: redacted.
type journal struct {
	exporter *otlp.Exporter
	redact   *redact.Recorder
}

var _ report.Journal = journal{}

// Keep implements report.Journal.
func (j journal) Keep(key uint64, r events.Record) { j.exporter.Keep(key, j.redact.Told(r)) }

// Forget implements report.Journal.
func (j journal) Forget(key uint64) { j.exporter.Forget(key) }

// syncReport returns once what was reported is on disk, or why it is not. Without a store it is not meant to be.
func (s *service) syncReport(ctx context.Context) (durable bool, trouble string) {
	if s.store == nil {
		return false, ""
	}
	if err := s.exporter.Sync(ctx); err != nil {
		return false, store.Trouble(err)
	}
	return true, ""
}
