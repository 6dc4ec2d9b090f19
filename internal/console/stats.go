package console

// HubStats counts what a Hub did. Counters only grow; the rest is as of now.
type HubStats struct {
	Recorded uint64 // records taken
	Records  int    // records in the ring
	Bytes    int    // approximate bytes in the ring

	Readers    int    // readers connected
	Joined     uint64 // readers accepted so far
	Refused    uint64 // readers answered 503
	Cut        uint64 // readers cut off because a write to them timed out
	Sent       uint64 // records sent, once a reader
	Heartbeats uint64 // comments sent to idle readers

	MissedSlow    uint64 // records that a reader lost because it lagged, by filter
	MissedExpired uint64 // records asked for again that the ring had let go of
	Restarts      uint64 // readers that came with an id of another process

	Repaired  int64 // values that were not valid UTF-8, or held a NUL
	Truncated int64 // values that were cut at MaxValueBytes
}

// Stats returns the counters.
func (h *Hub) Stats() HubStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.stats
	s.Recorded = h.ring.next - 1
	s.Records = h.ring.count
	s.Bytes = h.ring.bytes
	s.Readers = len(h.readers)
	s.Repaired = h.encoder.Repaired()
	s.Truncated = h.encoder.Truncated()
	return s
}
