package wstap

import (
	"encoding/binary"
	"time"
)

// CodeNone is the code of a close frame that has none (RFC 6455 §7.4.1).
const CodeNone = 1005

// CloseFrame is what a side says when it ends the connection.
type CloseFrame struct {
	// Code is the status code (RFC 6455 §7.4) as it came, or CodeNone. It is 0 only if there was no close frame.
	Code int
	// Reason is at most 123 bytes. It may be any bytes, also such that are no UTF-8.
	Reason string
	// At is when it came. A Reader alone leaves it zero.
	At time.Time
}

// parseClose reads the payload of a close frame. A single byte is no code.
func parseClose(b []byte) CloseFrame {
	if len(b) < 2 {
		return CloseFrame{Code: CodeNone}
	}
	return CloseFrame{Code: int(binary.BigEndian.Uint16(b)), Reason: string(b[2:])}
}

// Stats is what came in one direction.
type Stats struct {
	// Bytes is everything that was passed on, understood or not.
	Bytes int64
	// Messages is how many messages were complete, those included that a Sink did not get because it had panicked.
	Messages int64
	// Compressed is how many of them came compressed.
	Compressed int64
	// Truncated is how many of them were CutLong.
	Truncated int64
	// Undecoded is how many of them were not decompressed to the end: CutCompressed, CutInflated or CutCorrupt.
	Undecoded int64
	// Pings and Pongs are how many such frames came.
	Pings, Pongs int64
	// Close is the close frame, if one came.
	Close CloseFrame
	// Lost tells whether and why the direction was given up.
	Lost Lost
	// Unfinished reports that what came ends within a frame or message.
	Unfinished bool
}

// count notes a complete message.
func (s *Stats) count(c Cut) {
	switch c {
	case Whole:
	case CutLong:
		s.Truncated++
	default:
		s.Undecoded++
	}
}
