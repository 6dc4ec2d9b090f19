package main

import (
	"context"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/otlp"
	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/internal/store"
)

// heldShare is the part of the disk that records which wait to be merged may take.
const heldShare = 8

// mergerConfig returns how records are merged. With a store, what waits is kept in it.
func (s *service) mergerConfig(cfg *config.Config) report.MergerConfig {
	merging := report.MergerConfig{Next: s.recorder(cfg.OTel.LogUserPrompt), Grace: cfg.Report.MergeGrace}
	if s.store != nil {
		merging.Journal = journal{exporter: s.exporter, prompts: cfg.OTel.LogUserPrompt}
		merging.MaxHeldBytes = min(report.DefaultMaxHeldBytes, cfg.Store.MaxBytes/heldShare)
	}
	return merging
}

// journal keeps what waits to be merged as it would be told: redacted.
type journal struct {
	exporter *otlp.Exporter
	prompts  bool
}

var _ report.Journal = journal{}

// Keep implements report.Journal.
func (j journal) Keep(key uint64, r events.Record) {
	events.Redact{Next: keptAs{j.exporter, key}, LogUserPrompt: j.prompts}.Record(r)
}

// Forget implements report.Journal.
func (j journal) Forget(key uint64) { j.exporter.Forget(key) }

// keptAs keeps a record under a key.
type keptAs struct {
	exporter *otlp.Exporter
	key      uint64
}

// Record implements events.Recorder.
func (k keptAs) Record(r events.Record) { k.exporter.Keep(k.key, r) }

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
