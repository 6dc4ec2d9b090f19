package coding

// State is how far a Decoder got. All states but Open are final: what is written after them is discarded.
type State uint8

const (
	// Open is a body of which more may come.
	Open State = iota
	// Done is a body that was decoded to its end.
	Done
	// Truncated is a body that ended too early. What could be decoded until then was given.
	Truncated
	// Malformed is a body that is not what its coding says, or does not match its checksum.
	Malformed
	// TooLarge is a body that decodes to more bytes, or asks for a larger window, than allowed. The bytes up to the
	// bound were given.
	TooLarge
	// Unsupported is a body with a coding that is not known, too many codings, or one that needs a dictionary.
	Unsupported
	// Broken is a body whose decoding ended with a panic, of the decoder or of the function that takes the bytes.
	Broken
)

// String returns a name that serves as the value of a label: "open", "done", "truncated", "malformed", "too_large",
// "unsupported" or "broken".
func (s State) String() string {
	switch s {
	case Open:
		return "open"
	case Done:
		return "done"
	case Truncated:
		return "truncated"
	case Malformed:
		return "malformed"
	case TooLarge:
		return "too_large"
	case Unsupported:
		return "unsupported"
	case Broken:
		return "broken"
	default:
		return "unknown"
	}
}

// Result says what became of a body.
type Result struct {
	// State is how far the decoding got.
	State State
	// Err is why State is neither Open nor Done. It contains nothing of the body.
	Err error
	// Encoded is how many bytes were written, those included that were discarded.
	Encoded int64
	// Decoded is how many bytes were given.
	Decoded int64
}
