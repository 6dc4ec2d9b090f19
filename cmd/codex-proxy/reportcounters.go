package main

import (
	"maps"
	"slices"

	"github.com/codex-proxy/codex-proxy/internal/report"
)

// byReason returns one counter for each reason that counts has now; their set never changes.
func byReason(name, help string, counts func() map[string]int64) []series {
	var counters []series
	for _, reason := range slices.Sorted(maps.Keys(counts())) {
		counters = append(counters, series{
			name, help,
			map[string]string{"reason": reason},
			func() float64 { return float64(counts()[reason]) },
		})
	}
	return counters
}

func (s *service) reportCounters() []series {
	return slices.Concat(
		[]series{{
			"codex_proxy_report_not_durable_total", "Answers that had to say that what they acknowledge is in memory only.", nil,
			func() float64 { return float64(s.reports.NotDurable()) },
		}},
		byReason("codex_proxy_report_rejected_total", "Reported items rejected.",
			func() map[string]int64 { return s.reports.Stats().Rejected }),
		byReason("codex_proxy_report_refused_total", "Reports of which nothing was accepted.",
			func() map[string]int64 { return s.reports.Stats().Refused }),
	)
}

// logsCounters tell what became of the records that agents export.
func (s *service) logsCounters() []series {
	const taken, help = "codex_proxy_logs_taken_total", "Exported records taken: as events of the catalogue, or passed on as they are."
	count := func(name, help string, labels map[string]string, of func(report.LogStats) int64) series {
		return series{name, help, labels, func() float64 { return float64(of(s.reports.LogStats())) }}
	}
	return slices.Concat(
		[]series{
			count(taken, help, map[string]string{"as": "event"}, func(l report.LogStats) int64 { return l.Catalogue }),
			count(taken, help, map[string]string{"as": "record"}, func(l report.LogStats) int64 { return l.Foreign }),
			count("codex_proxy_logs_dropped_total", "Exported records left out.", map[string]string{"reason": "told_by_traffic"},
				func(l report.LogStats) int64 { return l.Traffic }),
			count("codex_proxy_logs_repaired_total", "Strings of exported records that were no valid UTF-8 or held a NUL.", nil,
				func(l report.LogStats) int64 { return l.Repaired }),
		},
		byReason("codex_proxy_logs_rejected_total", "Exported records rejected.",
			func() map[string]int64 { return s.reports.LogStats().Rejected }),
		byReason("codex_proxy_logs_refused_total", "Exports of which nothing was taken.",
			func() map[string]int64 { return s.reports.LogStats().Refused }),
	)
}

// mergeCounters tell what became of what several told.
func (s *service) mergeCounters() []series {
	count := func(name, help string, of func(report.MergeStats) int64) series {
		return series{name, help, nil, func() float64 { return float64(of(s.merger.Stats())) }}
	}
	return append(
		byReason("codex_proxy_merge_suppressed_total", "Tellings of a fact that were left out, since it was told already.",
			func() map[string]int64 { return s.merger.Stats().Suppressed }),
		count("codex_proxy_merged_total", "Records of what both the traffic and the agent told.",
			func(m report.MergeStats) int64 { return m.Merged }),
		count("codex_proxy_merge_disagreements_total", "Records of which the tellers told different things.",
			func(m report.MergeStats) int64 { return m.Disagreements }),
		count("codex_proxy_merge_alone_total", "Records that waited for a second telling in vain.",
			func(m report.MergeStats) int64 { return m.Alone }),
		count("codex_proxy_merge_overflow_total", "Records passed on before their time, for want of room.",
			func(m report.MergeStats) int64 { return m.Overflow }),
		count("codex_proxy_merge_forgotten_total", "Facts forgotten: what tells them again is told again.",
			func(m report.MergeStats) int64 { return m.Forgotten }),
	)
}

// mergeGauges tell what waits for a second telling.
func (s *service) mergeGauges() []series {
	return []series{
		{
			"codex_proxy_merge_held", "Records that wait for a second telling.", nil,
			func() float64 { return float64(s.merger.Stats().Held) },
		},
		{
			"codex_proxy_merge_held_bytes", "Memory that they take, about.", nil,
			func() float64 { return float64(s.merger.Stats().HeldBytes) },
		},
		{
			"codex_proxy_merge_facts", "Facts remembered, so that they are not told twice.", nil,
			func() float64 { return float64(s.merger.Stats().Remembered) },
		},
	}
}
