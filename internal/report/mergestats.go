package report

import (
	"sync/atomic"

	"github.com/codex-proxy/codex-proxy/events"
)

// suppressedReason is why a record was left out.
type suppressedReason uint8

const (
	// suppressedRepeat is a telling that came again: a retry.
	suppressedRepeat suppressedReason = iota
	// suppressedReport is a report of what was passed on already.
	suppressedReport
	// suppressedTraffic is what the traffic showed after the report of it was
	// passed on.
	suppressedTraffic
	suppressedCount
)

// String returns the label of the reason in MergeStats and metrics.
func (r suppressedReason) String() string {
	return [suppressedCount]string{"repeat", "late_report", "late_traffic"}[r]
}

// MergeStats is what a Merger did since it was made.
type MergeStats struct {
	// Merged counts records of what both the traffic and the agent told,
	// Disagreements those of them whose tellers told different things.
	Merged, Disagreements int64
	// Suppressed counts tellings that were left out, by reason: repeat,
	// late_report, late_traffic. Every label is present from the start.
	Suppressed map[string]int64
	// Alone counts records that waited and that nobody else told.
	Alone int64
	// Overflow counts records passed on before their time, for want of room.
	Overflow int64
	// Held and HeldBytes are the records that wait now.
	Held, HeldBytes int64
	// Remembered are the facts known now, Forgotten those that made room.
	Remembered, Forgotten int64
}

type mergeCounters struct {
	merged, disagreements      atomic.Int64
	suppressed                 [suppressedCount]atomic.Int64
	alone, overflow, forgotten atomic.Int64
}

// passed counts a record that waited.
func (c *mergeCounters) passed(r events.Record) {
	if r.Disagreement() != "" {
		c.disagreements.Add(1)
	}
	if r.Source == events.SourceBoth {
		c.merged.Add(1)
	} else {
		c.alone.Add(1)
	}
}

func (c *mergeCounters) snapshot() MergeStats {
	s := MergeStats{
		Merged: c.merged.Load(), Disagreements: c.disagreements.Load(),
		Alone: c.alone.Load(), Overflow: c.overflow.Load(), Forgotten: c.forgotten.Load(),
		Suppressed: make(map[string]int64, suppressedCount),
	}
	for r := range suppressedCount {
		s.Suppressed[r.String()] = c.suppressed[r].Load()
	}
	return s
}
