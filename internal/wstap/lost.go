package wstap

// Lost tells why a direction is not understood any more. After that it is passed on without being looked at.
type Lost uint8

const (
	// NotLost is a direction that is understood.
	NotLost Lost = iota
	// LostReservedBits is a frame with a reserved bit that no agreed extension uses, or uses there.
	LostReservedBits
	// LostOpcode is a frame with an opcode that RFC 6455 does not define.
	LostOpcode
	// LostMask is a frame from the client without a mask, or one from the server with it.
	LostMask
	// LostLength is a frame longer than 2^63-1 bytes.
	LostLength
	// LostContinuation is a continuation without a message to continue.
	LostContinuation
	// LostInterrupted is a message that starts before the one before it is complete.
	LostInterrupted
	// LostControlFragmented is a control frame that is not the last of its message.
	LostControlFragmented
	// LostControlTooLong is a control frame of more than 125 bytes.
	LostControlTooLong
	// LostPanic is a panic of the Reader, contained by the Tunnel.
	LostPanic
)

// String returns the reason in lower snake case, as it suits a label of a metric; it is empty for NotLost.
func (l Lost) String() string {
	switch l {
	case NotLost:
		return ""
	case LostReservedBits:
		return "reserved_bits"
	case LostOpcode:
		return "opcode"
	case LostMask:
		return "mask"
	case LostLength:
		return "length"
	case LostContinuation:
		return "continuation"
	case LostInterrupted:
		return "interrupted"
	case LostControlFragmented:
		return "control_fragmented"
	case LostControlTooLong:
		return "control_too_long"
	case LostPanic:
		return "panic"
	default:
		return "unknown"
	}
}
