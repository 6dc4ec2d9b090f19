package ssetap

import "time"

const (
	// DefaultMaxEventBytes is how much data of one event is kept unless told otherwise: 16 MiB.
	DefaultMaxEventBytes = 16 << 20
	// TailBytes is how much of the end of the data is kept when not all of it is.
	TailBytes = 64 << 10
	// MaxFieldBytes bounds the value of an event, id or retry field. A longer one is ignored, as a field of unknown
	// name is: a cut id is another id, and a cut name another name.
	MaxFieldBytes = 4 << 10
)

// Event is one dispatched event (WHATWG HTML §9.2.6). Its slices are borrowed: they are valid only during the call that
// delivers them, and must not be written to.
type Event struct {
	// Name is the value of the last event field. It is empty when there was none; the standard then calls the event
	// "message".
	Name []byte
	// Data is the values of the data fields, joined by LF. It may be empty: the standard dispatches an event whose only
	// data field is empty. When Truncated, it is only the beginning.
	Data []byte
	// Tail is nil unless Truncated. Then it is the last TailBytes of the data, or all of it if there is less. It may
	// overlap Data, so that whatever stands near the end is found in Tail without a look at Data.
	Tail []byte
	// ID is the last event ID in force. It stays from event to event until another id field comes.
	ID []byte
	// Size is the number of bytes of data as they came, also when Data is cut.
	Size int64
	// Truncated reports that part of the event was past a bound: Data was cut at MaxEventBytes, or an event or id field
	// was longer than MaxFieldBytes and is missing.
	Truncated bool
	// At is when the chunk arrived that completed the event. A Tap sets it; a Decoder leaves it zero.
	At time.Time
}
