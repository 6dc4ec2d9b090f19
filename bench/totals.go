package main

import (
	"fmt"
	"strings"
)

// totals adds up what all runs counted, those included that were repeated.
type totals struct {
	streams            int   // complete ones, each the answer to a request
	held               int   // open ones of idle modes, whose bytes nobody compares
	responses          int   // altered ones
	requests           int   // altered ones
	failures           int64 // of streams, and of HTTP/2
	observed, received int64 // records, where a receiver is alive
}

func totalsOf(results []Result) totals {
	var t totals
	for i := range results {
		r := &results[i]
		if strings.HasPrefix(r.Mode, "idle") {
			t.held += r.Streams + r.Repeated
		} else {
			t.streams += r.Streams + r.Repeated
		}
		t.responses += r.ResponseAltered
		t.requests += r.RequestAltered
		t.failures += r.failures()
		if r.Books.live() {
			t.observed += r.Books.Observed
			t.received += r.Books.Distinct
		}
	}
	return t
}

// String is the line below the tables.
func (t totals) String() string {
	held := ""
	if t.held > 0 {
		held = fmt.Sprintf(" (and %d held open)", t.held)
	}
	return fmt.Sprintf("Total: %d requests with their streams%s, %d responses altered, %d requests altered, %d errors; "+
		"of %d records that codex-proxy observed with a live receiver, %d were received.",
		t.streams, held, t.responses, t.requests, t.failures, t.observed, t.received)
}

// err returns an error unless everything arrived as it was sent.
func (t totals) err() error {
	if t.responses == 0 && t.requests == 0 && t.failures == 0 && t.observed == t.received {
		return nil
	}
	return fmt.Errorf("%d responses altered, %d requests altered, %d errors, %d records not received",
		t.responses, t.requests, t.failures, t.observed-t.received)
}
