// Package session knows what is new in a request: which conversation it belongs
// to and which attempt at the same thing it is. Its state is bounded; it starts
// no goroutine and knows no HTTP.
package session

import (
	"container/list"
	"sync"

	"github.com/codex-proxy/codex-proxy/events"
)

// Config bounds a Tracker.
type Config struct {
	MaxConversations int // the least recently used goes first; 0 means 10000
}

// Tracker remembers conversations. It is safe for concurrent use.
type Tracker struct {
	max int

	mu      sync.Mutex
	entries map[string]*list.Element // of *conversationState
	recent  list.List                // most recently used first
	evicted int64
}

// conversationState is what is remembered of one conversation.
type conversationState struct {
	id    string
	scope *events.Scope
	last  map[string]*attemptState // by endpoint; the endpoints are a fixed set
}

// New returns a Tracker.
func New(cfg Config) *Tracker {
	if cfg.MaxConversations <= 0 {
		cfg.MaxConversations = 10_000
	}
	return &Tracker{max: cfg.MaxConversations, entries: make(map[string]*list.Element)}
}

// Scope returns the scope of a conversation's latest request.
func (t *Tracker) Scope(conversationID string) (*events.Scope, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	element, ok := t.entries[conversationID]
	if !ok {
		return nil, false
	}
	state := element.Value.(*conversationState)
	return state.scope, state.scope != nil
}

// Stats says how many conversations are remembered and how many were forgotten
// for want of room.
func (t *Tracker) Stats() (remembered, evicted int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int64(len(t.entries)), t.evicted
}

// state returns the state of a conversation and makes it the most recent. The
// caller holds mu.
func (t *Tracker) state(id string) *conversationState {
	if element, ok := t.entries[id]; ok {
		t.recent.MoveToFront(element)
		return element.Value.(*conversationState)
	}
	if len(t.entries) >= t.max {
		oldest := t.recent.Back()
		delete(t.entries, oldest.Value.(*conversationState).id)
		t.recent.Remove(oldest)
		t.evicted++
	}
	state := &conversationState{id: id, last: make(map[string]*attemptState)}
	t.entries[id] = t.recent.PushFront(state)
	return state
}
