package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/codex-proxy/codex-proxy/internal/report"
)

// series is one counter or gauge among the metrics.
type series struct {
	name, help string
	labels     map[string]string
	value      func() float64
}

// count adds the counts of all parts to the metrics.
func (s *service) count() error {
	counters := slices.Concat(s.trafficCounters(), s.sessionCounters(), s.contentCounters(), s.feedCounters(), s.reportCounters(), s.logsCounters(), s.mergeCounters(), s.exportCounters(), s.storeCounters())
	var errs []error
	for _, c := range counters {
		errs = append(errs, s.metrics.CounterFunc(c.name, c.help, c.labels, c.value))
	}
	for _, g := range slices.Concat(s.gauges(), s.sessionGauges(), s.mergeGauges()) {
		errs = append(errs, s.metrics.GaugeFunc(g.name, g.help, g.labels, g.value))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("set up metrics: %w", err)
	}
	return nil
}

func (s *service) trafficCounters() []series {
	return []series{
		{
			"codex_proxy_guard_refused_total", "Requests refused for their Host or Origin.", nil,
			func() float64 { return float64(s.guard.Refused()) },
		},
		{
			"codex_proxy_exchanges_total", "Requests forwarded.", nil,
			func() float64 { return float64(s.proxy.Stats().Exchanges) },
		},
		{
			"codex_proxy_loops_total", "Requests refused because they would come back.", nil,
			func() float64 { return float64(s.proxy.Stats().Loops) },
		},
		{
			"codex_proxy_observer_panics_total", "Panics of the observing side, which did not touch the traffic.", nil,
			func() float64 { return float64(s.proxy.Stats().Panics + s.panics.Load() + s.containedPanics()) },
		},
		{
			"codex_proxy_untold_total", "Records dropped since what takes them did not return for too long.", nil,
			func() float64 { return float64(s.proxy.Stats().Lost) },
		},
		{
			"codex_proxy_upstream_failures_total", "Requests the upstream did not answer.", nil,
			func() float64 { return float64(s.proxy.Stats().UpstreamFailures) },
		},
		{
			"codex_proxy_encoded_bodies_total", "Bodies in a content encoding that is not known, which were not looked into.", nil,
			func() float64 { return float64(s.proxy.Stats().EncodedBodies) },
		},
		{
			"codex_proxy_undecoded_bodies_total", "Bodies that could not be decoded to their end: damaged, or larger than is looked into.", nil,
			func() float64 { return float64(s.proxy.Stats().UndecodedBodies) },
		},
		{
			"codex_proxy_lost_websocket_directions_total", "Directions of a WebSocket that could not be looked at to their end.", nil,
			func() float64 { return float64(s.proxy.Stats().LostSockets) },
		},
		{
			"codex_proxy_cut_events_total", "Events of a stream that are larger than tap.max_event_bytes.", nil,
			func() float64 { return float64(s.proxy.Stats().CutEvents) },
		},
		{
			"codex_proxy_half_events_total", "Streams that ended in the middle of an event.", nil,
			func() float64 { return float64(s.proxy.Stats().HalfEvents) },
		},
		{
			"codex_proxy_malformed_bodies_total", "Request bodies that are not one JSON object.", nil,
			func() float64 { return float64(s.proxy.Stats().MalformedBodies) },
		},
	}
}

// containedPanics are those of taking reports and of the exporter.
func (s *service) containedPanics() int64 {
	panics := s.reports.Stats().Refused[report.PanicReason] + s.reports.LogStats().Refused[report.PanicReason]
	if s.exporter != nil {
		panics += s.exporter.Stats().Panics
	}
	return panics
}

func (s *service) feedCounters() []series {
	return []series{
		{
			"codex_proxy_live_refused_total", "Readers of the live feed refused.", nil,
			func() float64 { return float64(s.hub.Stats().Refused) },
		},
		{
			"codex_proxy_live_cut_total", "Readers of the live feed cut off because they stopped reading.", nil,
			func() float64 { return float64(s.hub.Stats().Cut) },
		},
		{
			"codex_proxy_live_missed_total", "Records a reader of the live feed did not get.",
			map[string]string{"reason": "slow"},
			func() float64 { return float64(s.hub.Stats().MissedSlow) },
		},
		{
			"codex_proxy_live_missed_total", "Records a reader of the live feed did not get.",
			map[string]string{"reason": "expired"},
			func() float64 { return float64(s.hub.Stats().MissedExpired) },
		},
	}
}

func (s *service) exportCounters() []series {
	if !s.sends {
		return nil
	}
	const dropped, droppedHelp = "codex_proxy_export_dropped_total", "Records that will never reach the collector."
	return []series{
		{
			"codex_proxy_export_delivered_total", "Records the collector took.", nil,
			func() float64 { return float64(s.exporter.Stats().Delivered) },
		},
		{
			"codex_proxy_export_failed_tries_total", "Requests the collector did not take.", nil,
			func() float64 { return float64(s.exporter.Stats().FailedTries) },
		},
		{
			dropped, droppedHelp,
			map[string]string{"reason": "queue_full"},
			func() float64 { return float64(s.exporter.Stats().Dropped.QueueFull) },
		},
		{
			dropped, droppedHelp,
			map[string]string{"reason": "expired"},
			func() float64 { return float64(s.exporter.Stats().Dropped.Expired) },
		},
		{
			dropped, droppedHelp,
			map[string]string{"reason": "damaged"},
			func() float64 { return float64(s.exporter.Stats().Dropped.Damaged) },
		},
		{
			dropped, droppedHelp,
			map[string]string{"reason": "refused"},
			func() float64 { return float64(s.exporter.Stats().Dropped.Refused) },
		},
		{
			dropped, droppedHelp,
			map[string]string{"reason": "too_large"},
			func() float64 { return float64(s.exporter.Stats().Dropped.TooLarge) },
		},
		{
			dropped, droppedHelp,
			map[string]string{"reason": "shutdown"},
			func() float64 { return float64(s.exporter.Stats().Dropped.Shutdown) },
		},
		{
			dropped, droppedHelp,
			map[string]string{"reason": "partial_success"},
			func() float64 { return float64(s.exporter.Stats().Rejected) },
		},
	}
}

func (s *service) storeCounters() []series {
	if s.store == nil {
		return nil
	}
	counters := []series{
		{
			"codex_proxy_store_commits_total", "Transactions written.", nil,
			func() float64 { return float64(s.store.Stats().Commits) },
		},
		{
			"codex_proxy_store_failures_total", "Attempts to use the disk that failed.", nil,
			func() float64 { return float64(s.store.Stats().Failures) },
		},
		{
			"codex_proxy_store_damaged_files_total", "Databases set aside since they were damaged.", nil,
			func() float64 { return float64(s.store.Stats().SetAside) },
		},
	}
	if !s.history {
		return counters
	}
	return append(counters, byReason("codex_proxy_history_dropped_total", "Records that left the history.",
		func() map[string]int64 { return s.store.Stats().HistoryDropped })...)
}

func (s *service) storeGauges() []series {
	if s.store == nil {
		return nil
	}
	gauges := []series{
		{
			"codex_proxy_store_durable", "1 while what waits is on disk, 0 while it is in memory only.", nil,
			func() float64 {
				if s.store.Stats().Durable {
					return 1
				}
				return 0
			},
		},
		{
			"codex_proxy_store_bytes", "Size of the database.", nil,
			func() float64 { return float64(s.store.Stats().Bytes) },
		},
	}
	if s.history {
		gauges = append(gauges, series{
			"codex_proxy_history_records", "Records in the history.", nil,
			func() float64 { return float64(s.store.Stats().History) },
		})
	}
	return gauges
}

func (s *service) gauges() []series {
	gauges := []series{
		{
			"codex_proxy_live_exchanges", "Requests under way.", nil,
			func() float64 { return float64(s.proxy.Stats().Live) },
		},
		{
			"codex_proxy_untold", "Records that were observed and not taken yet; much above 0 something does not return.", nil,
			func() float64 { return float64(s.proxy.Stats().Untold) },
		},
		{
			"codex_proxy_live_readers", "Readers of the live feed.", nil,
			func() float64 { return float64(s.hub.Stats().Readers) },
		},
	}
	if s.sends {
		gauges = append(gauges,
			series{
				"codex_proxy_export_queued", "Records that wait for the collector.", nil,
				func() float64 { return float64(s.exporter.Stats().Queued) },
			},
			series{
				"codex_proxy_export_queued_bytes", "Encoded size of the records that wait.", nil,
				func() float64 { return float64(s.exporter.Stats().QueuedBytes) },
			})
	}
	return append(gauges, s.storeGauges()...)
}
