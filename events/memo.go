package events

import "sync/atomic"

// Memo is where one Recorder may keep what it made of a Scope, for the next
// record of the same Scope. It lives as long as the Scope does. It is safe for
// concurrent use; whoever loads must check that what it finds is its own.
type Memo struct{ kept atomic.Pointer[any] }

// Load returns what was stored last, nil for nothing. A nil Memo has nothing.
func (m *Memo) Load() any {
	if m == nil {
		return nil
	}
	if kept := m.kept.Load(); kept != nil {
		return *kept
	}
	return nil
}

// Store keeps a value in place of the one before. A nil Memo keeps nothing.
func (m *Memo) Store(value any) {
	if m != nil {
		m.kept.Store(&value)
	}
}
