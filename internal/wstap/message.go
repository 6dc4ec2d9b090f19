package wstap

import "time"

const (
	// DefaultMaxMessageBytes is how much of one message is kept unless told otherwise: 16 MiB.
	DefaultMaxMessageBytes = 16 << 20
	// TailBytes is how much of the end of a message is kept when not all of it is.
	TailBytes = 64 << 10
)

// Cut tells what is missing of a message.
type Cut uint8

const (
	// Whole is a message of which nothing is missing.
	Whole Cut = iota
	// CutLong is a message longer than MaxMessageBytes: beginning, end and size are known.
	CutLong
	// CutCompressed is a message longer than MaxMessageBytes already in compressed form.
	CutCompressed
	// CutInflated is a message that was not decompressed further than MaxInflatedBytes.
	CutInflated
	// CutCorrupt is a message that cannot be decompressed: damaged, or made with the context of one that was cut.
	CutCorrupt
)

// String returns "whole", "long", "compressed", "inflated" or "corrupt".
func (c Cut) String() string {
	switch c {
	case Whole:
		return "whole"
	case CutLong:
		return "long"
	case CutCompressed:
		return "compressed"
	case CutInflated:
		return "inflated"
	case CutCorrupt:
		return "corrupt"
	default:
		return "unknown"
	}
}

// Message is one data message, put together from its frames and decompressed. Its slices are borrowed: they are valid
// only during the call that delivers them, and must not be written to.
type Message struct {
	// Binary reports that it is a binary message, not text (RFC 6455 §5.6).
	Binary bool
	// Data is the payload, or its beginning if something is missing. It may be empty.
	Data []byte
	// Tail is nil unless the message was CutLong. Then it is the last TailBytes of the payload, or all of it if there is
	// less. It may overlap Data, so that whatever stands near the end is found in Tail without a look at Data.
	Tail []byte
	// Size is the number of bytes of the payload. If the message could not be decompressed to its end, it is how far that
	// went.
	Size int64
	// WireSize is the number of bytes of the payload as it came, headers of frames not counted.
	WireSize int64
	// Compressed reports that it came compressed.
	Compressed bool
	// Cut tells what is missing.
	Cut Cut
	// Start and At are when the chunks arrived that began and completed the message. A Tunnel sets them; a Reader alone
	// leaves them zero.
	Start, At time.Time
}

// endMessage delivers the message and starts the next one.
func (r *Reader) endMessage() {
	m := &r.message
	*m = Message{
		Binary: r.opcode == opBinary, WireSize: r.wire, Compressed: r.compressed,
		Start: r.start, At: r.at,
	}
	whole := r.whole
	// The next message starts before this one is delivered, so that a panic of the Sink leaves nothing half done.
	r.opcode, r.wire, r.whole = 0, 0, nil
	r.stats.Messages++
	defer r.release()
	switch {
	case m.Compressed:
		r.stats.Compressed++
		r.packing.unpack(m)
	case whole != nil:
		fillWhole(m, whole, r.limit)
	default:
		r.text.fill(m)
	}
	r.stats.count(m.Cut)
	r.sink.Message(m)
}

// release lets go of the data delivered, which may be large or the caller's.
func (r *Reader) release() {
	r.message.Data, r.message.Tail = nil, nil
	r.text.reset()
	r.packing.release()
}

// fillWhole describes a message that lies in one piece.
func fillWhole(m *Message, b []byte, limit int) {
	n := min(len(b), limit)
	m.Data, m.Size = b[:n:n], int64(len(b))
	if n < len(b) {
		m.Tail, m.Cut = last(b), CutLong
	}
}
