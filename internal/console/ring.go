package console

import (
	"reflect"

	"github.com/r3labs/sse/v2"

	"github.com/codex-proxy/codex-proxy/events"
)

// recordOverhead is about what a record takes beside its strings: its slot,
// its event struct and its share of the allocator's rounding.
const recordOverhead = 512

// slot is one record of the ring.
type slot struct {
	seq    uint64
	size   int // bytes accounted for
	record events.Record
	event  *sse.Event // the record as it is sent; nil until somebody reads it
}

// ring holds the records [first, next) in a fixed number of slots. Its owner
// guards it and decides what leaves.
type ring struct {
	slots []slot
	first uint64
	next  uint64
	count int
	bytes int
}

func newRing(records int) ring {
	return ring{slots: make([]slot, records), first: 1, next: 1}
}

func (r *ring) full() bool { return r.count == len(r.slots) }

// push adds a record; the ring must not be full.
func (r *ring) push(record events.Record, size int) {
	*r.slot(r.next) = slot{seq: r.next, size: size, record: record}
	r.next++
	r.count++
	r.bytes += size
}

// pop removes the oldest record; the ring must not be empty.
func (r *ring) pop() slot {
	oldest := r.slot(r.first)
	gone := *oldest
	*oldest = slot{}
	r.first++
	r.count--
	r.bytes -= gone.size
	return gone
}

// at returns the record with that number, which must be in [first, next).
func (r *ring) at(seq uint64) slot { return *r.slot(seq) }

// keep remembers how a record is sent, unless it left the ring meanwhile.
func (r *ring) keep(seq uint64, event *sse.Event) {
	if seq < r.first || seq >= r.next {
		return
	}
	s := r.slot(seq)
	s.event = event
	s.size += len(event.Data)
	r.bytes += len(event.Data)
}

func (r *ring) slot(seq uint64) *slot { return &r.slots[seq%uint64(len(r.slots))] }

// recordBytes returns about how much memory a record holds on to. A scope that
// many records share is counted with each.
func recordBytes(r events.Record) int {
	s := r.Scope
	return recordOverhead + len(r.ID) + events.PairBytes(r.Extra()) + len(r.Disagreement()) + eventBytes(r.Event) +
		len(s.ConversationID) + len(s.AppVersion) + len(s.AuthMode) + len(s.Originator) + len(s.AccountID) +
		len(s.TerminalType) + len(s.Model) + len(s.Slug) + len(s.TurnID) + len(s.ResponseID) + len(s.RequestID) +
		len(s.Repository) + len(s.Commit) + len(s.SessionID) + len(s.Subagent) + len(s.ParentID) + len(s.ForkedFromID) +
		len(s.ParentTurnID) + len(s.RootTurnID) + len(s.RequestKind) + events.PairBytes(s.Metadata)
}

// eventBytes returns the length of the strings of an event. The event that
// comes by the hundred has a short cut.
func eventBytes(e events.Event) int {
	switch e := e.(type) {
	case *events.SSEEvent:
		return len(e.Kind.Value) + len(e.ErrorMessage) + len(e.ServiceTier) + len(e.ReasoningEffort) + len(e.EndedBy)
	case *events.Foreign:
		return e.Bytes()
	default:
		return stringBytes(reflect.ValueOf(e))
	}
}

func stringBytes(v reflect.Value) int {
	switch v.Kind() {
	case reflect.String:
		return v.Len()
	case reflect.Pointer:
		if v.IsNil() {
			return 0
		}
		return stringBytes(v.Elem())
	case reflect.Struct:
		n := 0
		for _, field := range v.Fields() {
			n += stringBytes(field)
		}
		return n
	default:
		return 0
	}
}
