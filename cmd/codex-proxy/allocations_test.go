//go:build !race

// The race detector makes allocations of its own.

package main

import (
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestAllocations counts the allocations of what a request is made of, from end to end. They are the same on a busy
// machine and on a quiet one, and a step back shows here before it can be measured in time. Where it is for a good
// reason, raise the number and say the reason; lower it when it shrinks.
func TestAllocations(t *testing.T) {
	upstream := responsestest.NewServer(t)
	s := allocService(t, upstream.BaseURL())
	recorder := s.merger
	for _, path := range []struct {
		name string
		most float64
		run  func()
	}{
		{"1000 deltas, recorded and encoded", 260, deltaRun(recorder)},
		{"response.completed of 200 KB", 30, completedRun(recorder)},
		{"request of 1 MB, seen for the first time", 520, inspectRun(0)},
		{"request of 1 MB, seen before", 43, inspectRun(1)},
		{"report of a prompt", 145, reportOnce(t, s)},
		{"exchange of ten events through the proxy", 300, exchangeRun(t)},
	} {
		t.Run(path.name, func(t *testing.T) {
			path.run() // what is made once
			got := testing.AllocsPerRun(20, path.run)
			if got > path.most {
				t.Errorf("%.0f allocations; want at most %.0f", got, path.most)
			}
			if got < path.most/1.25 {
				t.Logf("%.0f allocations; the bound of %.0f can be lowered", got, path.most)
			}
		})
	}
}
