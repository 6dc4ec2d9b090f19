package responsestest

import "sync"

// Gate stops a stream at a place of the test's choice: put [Gate.Stop] between
// two events, wait for [Gate.Reached], look at what has arrived so far, and let
// the stream go on with [Gate.Open]. Several streams may share a gate; once open
// it stays open.
type Gate struct {
	reached, open         chan struct{}
	reachedOnce, openOnce sync.Once
}

// NewGate returns a closed gate.
func NewGate() *Gate {
	return &Gate{reached: make(chan struct{}), open: make(chan struct{})}
}

// Stop returns the pause to put between two events.
func (g *Gate) Stop() Event { return Event{Hold: g.open, gate: g} }

// Reached is closed when the first stream has come to the gate: everything
// before it has been written and flushed.
func (g *Gate) Reached() <-chan struct{} { return g.reached }

// Open lets all streams pass, now and later. It may be called more than once.
func (g *Gate) Open() { g.openOnce.Do(func() { close(g.open) }) }

func (g *Gate) reach() { g.reachedOnce.Do(func() { close(g.reached) }) }
