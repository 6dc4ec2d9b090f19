package wstap

import "time"

// maxMessageBytes is the most that an int can hold anywhere, with room for deflateEnd.
const maxMessageBytes = 1 << 30

// Options of a Reader or a Tunnel. The zero value is sensible.
type Options struct {
	// Deflate is what the handshake agreed on, see [ParseExtensions]. The zero value is no compression.
	Deflate Deflate
	// MaxMessageBytes is how much of one message is kept, compressed and decompressed, 0 for DefaultMaxMessageBytes, 1 GiB
	// at most. Longer ones are delivered with a [Cut].
	MaxMessageBytes int
	// MaxInflatedBytes is how far one message is decompressed, 0 for four times MaxMessageBytes. What is not kept is
	// decompressed, too: it has the end of the message, and later messages may refer to it.
	MaxInflatedBytes int64
	// Pool is shared with other Readers, nil for decompressors of one's own.
	Pool *Pool
	// Now is the clock of a Tunnel, nil for time.Now.
	Now func() time.Time
	// OnPanic is told the value of each panic that a Tunnel contained, if set, on the goroutine of the panic.
	OnPanic func(v any)
}

func (o *Options) maxMessageBytes() int {
	if o.MaxMessageBytes <= 0 {
		return DefaultMaxMessageBytes
	}
	return min(o.MaxMessageBytes, maxMessageBytes)
}

func (o *Options) maxInflatedBytes() int64 {
	if o.MaxInflatedBytes <= 0 {
		return 4 * int64(o.maxMessageBytes())
	}
	return o.MaxInflatedBytes
}

func (o *Options) clock() func() time.Time {
	if o.Now == nil {
		return time.Now
	}
	return o.Now
}
