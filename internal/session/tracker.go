// Package session knows what is new in a request: which conversation it belongs
// to, what the user and the tools have said since the request before, and which
// attempt at the same thing it is. Its state is bounded; it starts no goroutine
// and knows no HTTP.
package session

import (
	"container/list"
	"sync"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// Config bounds a Tracker. What goes first is what was used least recently.
type Config struct {
	MaxConversations int           // 0 means 10000
	MaxBytes         int64         // of all that is remembered, about; 0 means 64 MiB
	MaxAge           time.Duration // since a conversation, or a response, was heard of last; 0 means 24 hours
	Started          time.Time     // when the process did; zero means now
	MaxResponses     int           // that can be read again, of which it is known whether they were told; 0 means 20000
}

// Tracker remembers conversations. It is safe for concurrent use.
type Tracker struct {
	cfg    Config
	flight flight

	mu      sync.Mutex
	entries map[string]*list.Element // of *conversation
	recent  list.List                // most recently used first
	links   map[uint64]*link
	bills   bills
	bytes   int64
	counts  Counts
}

// Counts says what a Tracker remembers, and what it had to forget.
type Counts struct {
	Conversations int64 // remembered
	Calls         int64 // whose output is waited for
	Bytes         int64 // remembered, about

	Evicted      int64 // conversations forgotten for want of room
	Expired      int64 // conversations forgotten for their age
	CallsDropped int64 // calls forgotten before their output came
	Cut          int64 // parts of requests that were too large to look at
	Orphans      int64 // outputs of calls that nothing is known of

	Responses        int64 // remembered, since they can be read again
	ResponsesEvicted int64 // forgotten for want of room
	ResponsesExpired int64 // forgotten for their age
}

// New returns a Tracker.
func New(cfg Config) *Tracker {
	if cfg.MaxConversations <= 0 {
		cfg.MaxConversations = 10_000
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = 64 << 20
	}
	if cfg.MaxAge <= 0 {
		cfg.MaxAge = 24 * time.Hour
	}
	if cfg.MaxResponses <= 0 {
		cfg.MaxResponses = 20_000
	}
	if cfg.Started.IsZero() {
		cfg.Started = time.Now()
	}
	return &Tracker{
		cfg:     cfg,
		flight:  flight{ids: make(map[uint64]int)},
		entries: make(map[string]*list.Element),
		links:   make(map[uint64]*link),
	}
}

// Scope returns the scope of a conversation's latest request.
func (t *Tracker) Scope(conversationID string) (*events.Scope, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	element, ok := t.entries[conversationID]
	if !ok {
		return nil, false
	}
	c := element.Value.(*conversation)
	return c.scope, c.scope != nil
}

// InFlight reports whether the output of a call is waited for, in whichever
// conversation. It does not keep the id.
func (t *Tracker) InFlight(callID []byte) bool { return t.flight.has(callID) }

// Stats says how many conversations are remembered and how many were forgotten
// for want of room or for their age.
func (t *Tracker) Stats() (remembered, evicted int64) {
	counts := t.Counts()
	return counts.Conversations, counts.Evicted + counts.Expired
}

// Counts returns a snapshot of the counters.
func (t *Tracker) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := t.counts
	counts.Conversations, counts.Bytes = int64(len(t.entries)), t.bytes
	counts.Responses, counts.ResponsesEvicted, counts.ResponsesExpired = int64(len(t.bills.entries)), t.bills.evicted, t.bills.expired
	return counts
}

// conversation returns the state of a conversation and makes it the most
// recent. The caller holds mu, and calls weigh when it has changed the state.
func (t *Tracker) conversation(id string, at time.Time) *conversation {
	t.expire(at)
	if element, ok := t.entries[id]; ok {
		t.recent.MoveToFront(element)
		c := element.Value.(*conversation)
		c.used = later(c.used, at)
		return c
	}
	if len(t.entries) >= t.cfg.MaxConversations {
		t.evict()
	}
	c := &conversation{id: id, used: at, last: make(map[string]*attemptState)}
	t.entries[id] = t.recent.PushFront(c)
	return c
}

// known returns the state of a conversation that is remembered, nil otherwise.
// The caller holds mu.
func (t *Tracker) known(id string) *conversation {
	if element, ok := t.entries[id]; ok {
		return element.Value.(*conversation)
	}
	return nil
}

// expire forgets the conversations that nobody has heard of for too long.
func (t *Tracker) expire(now time.Time) {
	for oldest := t.recent.Back(); oldest != nil; oldest = t.recent.Back() {
		if now.Sub(oldest.Value.(*conversation).used) <= t.cfg.MaxAge {
			return
		}
		t.counts.Expired++
		t.forget(oldest)
	}
}

// weigh adds up what c holds and makes room for it.
func (t *Tracker) weigh(c *conversation) {
	t.bytes -= c.bytes
	c.bytes = c.size()
	t.bytes += c.bytes
	for t.bytes > t.cfg.MaxBytes && len(t.entries) > 1 {
		t.evict()
	}
}

// evict forgets the conversation that was used least recently.
func (t *Tracker) evict() {
	t.counts.Evicted++
	t.forget(t.recent.Back())
}

func (t *Tracker) forget(element *list.Element) {
	c := element.Value.(*conversation)
	t.recent.Remove(element)
	delete(t.entries, c.id)
	t.bytes -= c.bytes
	for _, pending := range c.calls {
		t.flight.remove(pending.call.ID)
	}
	t.counts.Calls -= int64(len(c.calls))
	t.counts.CallsDropped += int64(len(c.calls))
	for _, key := range c.links {
		t.unlink(key, c.id)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
