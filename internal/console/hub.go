// Package console shows what happens: the live feed and its client, the lines
// that a terminal prints, metrics and health.
//
// A [Hub] is an events.Recorder. It keeps the newest records in a bounded ring
// and serves them as server-sent events:
//
//	GET /codex-proxy/v1/live?conversation=ID&event=codex.api_request,codex.sse_event
//
// The data of an event is the JSON object of [AppendJSON]; its event field is
// the event's name. Ids count up from 1 behind a prefix that is new with every
// process. A reader that comes back with the last id it saw (Last-Event-ID, or
// ?last_event_id=) gets what it missed; where that is impossible, an event
// codex-proxy.missed says so. Comments keep an idle connection alive and carry
// the position, so that a reader whose filter seldom matches can resume too.
//
// [Follow] reads the feed, a [Renderer] prints it.
package console

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"sync"
	"time"

	"github.com/r3labs/sse/v2"

	"github.com/codex-proxy/codex-proxy/events"
)

// LivePath is where the live feed is served.
const LivePath = "/codex-proxy/v1/live"

// HubConfig configures a Hub. The zero value is sensible.
type HubConfig struct {
	MaxRecords    int           // records kept for readers that lag or come back; 0 means 4096
	MaxBytes      int           // approximate bytes kept; the newest record stays whatever its size; 0 means 8 MiB
	MaxReaders    int           // readers at a time; 0 means 32
	MaxValueBytes int           // bytes of one attribute value; 0 means events.DefaultMaxValueBytes
	Heartbeat     time.Duration // between comments to an idle reader; 0 means 15 s
	WriteTimeout  time.Duration // for each write to a reader, which is cut off past it; 0 means 10 s
}

func (c HubConfig) withDefaults() HubConfig {
	c.MaxRecords = positiveOr(c.MaxRecords, 4096)
	c.MaxBytes = positiveOr(c.MaxBytes, 8<<20)
	c.MaxReaders = positiveOr(c.MaxReaders, 32)
	c.Heartbeat = positiveOr(c.Heartbeat, 15*time.Second)
	c.WriteTimeout = positiveOr(c.WriteTimeout, 10*time.Second)
	return c
}

func positiveOr[T int | time.Duration](v, fallback T) T {
	if v > 0 {
		return v
	}
	return fallback
}

// drainTimeout bounds how long Run, once told to stop, waits for readers to
// take what was recorded before.
const drainTimeout = time.Second

// Hub keeps the newest records and feeds them to readers. Record costs a short
// lock; JSON is made once a record, by Run, and only while somebody reads.
//
// Each reader has a position in the ring and a stream of its own in the SSE
// server, which holds no more than a small window of events. A reader that
// stops reading therefore lags behind in the ring, alone, until its write times
// out.
type Hub struct {
	cfg     HubConfig
	prefix  string // of event ids; new with every process
	encoder events.Encoder
	server  *sse.Server
	wake    chan struct{} // holds at most one reason for Run to look

	mu      sync.Mutex
	ring    ring
	readers []*reader
	serial  uint64 // of the newest reader
	closed  bool
	stats   HubStats

	round []*reader // scratch of Run
}

var _ events.Recorder = (*Hub)(nil)

// NewHub returns a Hub. Readers may join at once; they are fed while Run runs.
func NewHub(cfg HubConfig) *Hub {
	cfg = cfg.withDefaults()
	server := sse.New()
	// The ring replays; the server's own replay keeps every event for ever.
	server.AutoReplay = false
	server.BufferSize = windowEvents
	server.Headers = map[string]string{
		"Cache-Control":     "no-store",
		"X-Accel-Buffering": "no",
	}
	h := &Hub{
		cfg:    cfg,
		prefix: processPrefix(),
		server: server,
		wake:   make(chan struct{}, 1),
		ring:   newRing(cfg.MaxRecords),
	}
	h.encoder.MaxValueBytes = cfg.MaxValueBytes
	return h
}

// processPrefix returns what tells the ids of this process from those of any
// other.
func processPrefix() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // Never fails, says its documentation.
	return hex.EncodeToString(b[:])
}

// Record implements events.Recorder.
func (h *Hub) Record(r events.Record) {
	if h.keep(r, recordBytes(r)) {
		h.signal()
	}
}

// keep adds a record to the ring and reports whether anybody reads. A panic
// must not leave the lock behind: it would stop the traffic.
func (h *Hub) keep(r events.Record, size int) (watched bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ring.full() {
		h.evict()
	}
	h.ring.push(r, size)
	h.fit()
	return len(h.readers) > 0
}

// fit drops the oldest records until the ring keeps to its bytes.
func (h *Hub) fit() {
	for h.ring.bytes > h.cfg.MaxBytes && h.ring.count > 1 {
		h.evict()
	}
}

// evict drops the oldest record and notes it for those who had yet to read it.
func (h *Hub) evict() {
	gone := h.ring.pop()
	for _, rd := range h.readers {
		if rd.next > gone.seq {
			continue
		}
		rd.next = gone.seq + 1
		if rd.filter.matches(gone.record) {
			rd.miss(1, ReasonSlow)
			h.stats.MissedSlow++
		}
	}
}

// signal makes Run look at the readers. It never blocks.
func (h *Hub) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Run feeds the readers until ctx ends. Then readers that keep up get what was
// recorded so far, every feed ends, and new readers are refused; the readers'
// handlers return soon after Run. It returns nil.
func (h *Hub) Run(ctx context.Context) error {
	ticker := time.NewTicker(h.cfg.Heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			h.drain()
			return nil
		case <-h.wake:
			h.pump()
		case <-ticker.C:
			h.beat()
		}
	}
}

// drain feeds until every reader has everything, or time is up, and ends the
// feeds.
func (h *Hub) drain() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	timeout := time.NewTimer(drainTimeout)
	defer timeout.Stop()
	h.pump()
	for late := false; !late && !h.idle(); {
		select {
		case <-h.wake:
			h.pump()
		case <-timeout.C:
			late = true
		}
	}
	for _, rd := range h.snapshot() {
		rd.end()
	}
}

// idle reports whether no reader waits for anything, be it for its first turn.
func (h *Hub) idle() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, rd := range h.readers {
		if !rd.attached || rd.next < h.ring.next || !rd.window.empty() {
			return false
		}
	}
	return true
}

// snapshot returns the readers of now, in scratch space that belongs to Run.
func (h *Hub) snapshot() []*reader {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.round = append(h.round[:0], h.readers...)
	return h.round
}

// eventID returns the id of the record with that number.
func (h *Hub) eventID(seq uint64) string {
	return h.prefix + "-" + strconv.FormatUint(seq, 10)
}
