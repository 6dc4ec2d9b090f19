package main

import (
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// probePath is where doctor asks for a stream that shows whether a hop on the way holds it back.
const probePath = ownPrefix + "/v1/probe"

const (
	// probeEvents come probePace after each other.
	probeEvents = 8
	probePace   = 50 * time.Millisecond
	// maxProbes bounds the probes at a time.
	maxProbes = 8
)

// probe streams events in a known rhythm.
type probe struct{ running atomic.Int64 }

// ServeHTTP implements http.Handler.
func (p *probe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.running.Add(1) > maxProbes {
		p.running.Add(-1)
		refuse(w, http.StatusTooManyRequests, "too many probes at a time")
		return
	}
	defer p.running.Add(-1)
	// What the answers of the API have, and no more: a hop is to treat this as it treats them.
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	flusher := http.NewResponseController(w)
	tick := time.NewTicker(probePace)
	defer tick.Stop()
	for i := range probeEvents {
		if i > 0 {
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
		}
		if _, err := fmt.Fprint(w, "event: codex_proxy.probe\ndata: {\"n\":"+strconv.Itoa(i)+"}\n\n"); err != nil {
			return
		}
		if flusher.Flush() != nil {
			return
		}
	}
}
