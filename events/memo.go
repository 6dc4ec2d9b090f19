package events

import "sync/atomic"

// MemoSlot is a place in a Memo.
type MemoSlot uint8

// The places, by who uses them.
const (
	MemoTold    MemoSlot = iota // what may be told of the Scope
	MemoEncoded                 // how its records are encoded
	numMemoSlots
)

// Memo is where Recorders may keep what they made of a Scope, for the next record
// of the same Scope. It lives as long as the Scope does. It is safe for concurrent
// use; whoever loads must check that what it finds is its own.
type Memo struct {
	kept [numMemoSlots]atomic.Pointer[any]
}

// Load returns what was stored last in a place, nil for nothing. A nil Memo has
// nothing.
func (m *Memo) Load(slot MemoSlot) any {
	if m == nil {
		return nil
	}
	if kept := m.kept[slot].Load(); kept != nil {
		return *kept
	}
	return nil
}

// Store keeps a value in place of the one before. A nil Memo keeps nothing.
func (m *Memo) Store(slot MemoSlot, value any) {
	if m != nil {
		m.kept[slot].Store(&value)
	}
}
