package report

import "sync/atomic"

// logKind is what became of a record of the logs endpoint.
type logKind uint8

const (
	logCatalogue logKind = iota // an event of the catalogue
	logForeign                  // passed on as it is
	logTraffic                  // not taken: the traffic has told it
	logKinds
)

// logProblem is why a record of the logs endpoint is rejected; 0 is no reason.
type logProblem uint8

const (
	problemSize logProblem = iota + 1 // too many bytes or values
	problemNesting
	problemSyntax // a value that is not what its key says
	problemCount
)

// String returns the label of the problem in LogStats and metrics.
func (p logProblem) String() string {
	return [problemCount]string{"", "size", "nesting", "syntax"}[p]
}

// LogStats is what the logs endpoint did since its Handler was made.
type LogStats struct {
	// Catalogue counts records that were events of the catalogue, Foreign those
	// that passed on as they are.
	Catalogue, Foreign int64
	// Traffic counts records of requests and streams that the proxy saw itself.
	Traffic int64
	// Rejected counts records, by reason: size, nesting, syntax. Every label is
	// present from the start.
	Rejected map[string]int64
	// Refused counts requests of which nothing was taken, by the reasons of Stats.
	Refused map[string]int64
	// Repaired counts strings that were not valid UTF-8 or held a NUL.
	Repaired int64
}

type logCounters struct {
	kinds    [logKinds]atomic.Int64
	rejected [problemCount]atomic.Int64
	refused  [refusedCount]atomic.Int64
	repaired atomic.Int64
}

// LogStats returns the counts so far.
func (h *Handler) LogStats() LogStats {
	s := LogStats{
		Catalogue: h.logs.kinds[logCatalogue].Load(),
		Foreign:   h.logs.kinds[logForeign].Load(),
		Traffic:   h.logs.kinds[logTraffic].Load(),
		Rejected:  make(map[string]int64, problemCount),
		Refused:   make(map[string]int64, refusedCount),
		Repaired:  h.logs.repaired.Load(),
	}
	for p := problemSize; p < problemCount; p++ {
		s.Rejected[p.String()] = h.logs.rejected[p].Load()
	}
	for r := range refusedCount {
		s.Refused[r.String()] = h.logs.refused[r].Load()
	}
	return s
}
