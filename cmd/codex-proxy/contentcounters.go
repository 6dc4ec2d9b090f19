package main

import (
	"maps"
	"slices"
)

// contentCounters tell what was taken out of texts. The classes are always the same.
func (s *service) contentCounters() []series {
	var counters []series
	for _, class := range slices.Sorted(maps.Keys(s.scanner.Counts())) {
		counters = append(counters, series{
			"codex_proxy_credentials_redacted_total", "Credentials that were recognized in prompts, arguments, outputs and other texts, and replaced.",
			map[string]string{"class": class},
			func() float64 { return float64(s.scanner.Counts()[class]) },
		})
	}
	return counters
}
