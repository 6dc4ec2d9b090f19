// Package wstap reads WebSocket messages (RFC 6455) from the bytes of a tunnel that belongs to somebody else.
//
// A [Reader] is pushed the bytes of one direction as they come and calls a [Sink] with each message; it never blocks,
// fails or asks for more. A [Tunnel] wraps the connection that a 101 response gives to a proxy and shows both directions
// to Sinks, each byte only after it was passed on. [ParseExtensions] tells whether messages may be compressed
// (permessage-deflate, RFC 7692). All of them leave the bytes as they are.
package wstap

import "time"

// Sink receives what a Reader sees of one direction. Its methods are called one at a time and in order, by the goroutine
// that writes to the Reader. They should be quick: the tunnel waits for them.
type Sink interface {
	// Message receives each complete message; m and its slices are valid only during the call.
	Message(m *Message)
	// CloseFrame receives the close frame, at most once. Nothing comes after it: whatever a peer sends after its close
	// frame has no meaning (RFC 6455 §5.5.1).
	CloseFrame(c CloseFrame)
	// Lost is called at most once, when the bytes are no WebSocket frames or break their rules. Nothing comes after it.
	Lost(reason Lost)
}

// Reader interprets one direction of a WebSocket connection, after the handshake, in chunks cut anywhere. It must not be
// used by two goroutines at once.
//
// A message that lies within one chunk, unmasked and not compressed, is delivered without being copied. Otherwise it is
// collected in a buffer, which is reused unless a message made it large. Neither allocates in the long run. The work is
// linear in the bytes written, however they are cut, and for compressed messages in the bytes that come of them.
//
// The Reader follows frames as lenient peers do. It does not check that text is UTF-8, that lengths are written in the
// shortest form, or which close codes are used.
type Reader struct {
	from    Direction
	sink    Sink
	limit   int
	deflate bool
	packing packing

	head    [maxHeaderBytes]byte // a header cut by the end of a chunk
	headed  int
	frame   header // the frame being read; its key turns with the payload
	frameAt time.Time
	inFrame bool
	left    int64 // of its payload, still to come
	control [maxControlBytes]byte

	// The message being read. Its opcode is 0 if there is none.
	opcode     opcode
	compressed bool
	start      time.Time
	wire       int64  // bytes of payload so far
	whole      []byte // all of it, if it lies within the chunk in hand and need not be copied
	text       clip   // otherwise

	message Message   // what the Sink gets, kept here so that it is allocated once
	at      time.Time // when the chunk in hand came; set by the Tunnel
	stats   Stats
	done    bool // closed or lost: nothing is looked at any more
}

// NewReader returns a Reader of what one side sends, which reports to sink; nil is a Sink that ignores everything.
func NewReader(from Direction, sink Sink, opts Options) *Reader {
	if sink == nil {
		sink = ignore{}
	}
	r := &Reader{from: from, sink: sink, limit: opts.maxMessageBytes(), deflate: opts.Deflate.Enabled}
	r.packing = packing{
		limit:    r.limit,
		inflated: opts.maxInflatedBytes(),
		pool:     opts.Pool,
		window:   window{size: opts.Deflate.windowBytes(from)},
		takeover: opts.Deflate.takeover(from),
	}
	return r
}

// Write reads the next chunk and calls the Sink for every message and control frame that is complete with it, before it
// returns. The chunk is neither kept nor changed, and must not change during Write.
//
// If the Sink panics, the rest of the chunk is lost, and with it what comes after. A [Tunnel] keeps panics away.
func (r *Reader) Write(chunk []byte) {
	r.stats.Bytes += int64(len(chunk))
	for len(chunk) > 0 && !r.done {
		if r.inFrame {
			chunk = r.takePayload(chunk)
		} else {
			chunk = r.takeHeader(chunk)
		}
	}
}

// Stats returns what came so far.
func (r *Reader) Stats() Stats {
	s := r.stats
	s.Unfinished = !r.done && (r.inFrame || r.headed > 0 || r.opcode != 0)
	return s
}

// takeHeader reads a frame header or a piece of one and returns the rest of the chunk.
func (r *Reader) takeHeader(chunk []byte) []byte {
	if r.headed == 0 {
		r.frameAt = r.at
		if len(chunk) >= minHeaderBytes {
			if n := headerBytes(chunk[1]); n <= len(chunk) {
				r.startFrame(parseHeader(chunk[:n]))
				return chunk[n:]
			}
		}
	}
	need := minHeaderBytes
	if r.headed >= minHeaderBytes {
		need = headerBytes(r.head[1])
	}
	n := copy(r.head[r.headed:need], chunk)
	r.headed += n
	if r.headed >= minHeaderBytes && r.headed == headerBytes(r.head[1]) {
		head := r.head[:r.headed]
		r.headed = 0
		r.startFrame(parseHeader(head))
	}
	return chunk[n:]
}

// startFrame begins a frame and, with its first one, a message.
func (r *Reader) startFrame(h header) {
	if reason := r.violation(h); reason != NotLost {
		r.lose(reason)
		return
	}
	if h.opcode == opText || h.opcode == opBinary {
		r.opcode, r.compressed = h.opcode, h.rsv != 0
		r.start = r.frameAt
	}
	r.frame, r.inFrame, r.left = h, true, h.length
	if r.left == 0 {
		r.endFrame()
	}
}

// violation returns the rule of RFC 6455 §5 that a header breaks.
func (r *Reader) violation(h header) Lost {
	var allowed byte // continuations are compressed with their first frame, control frames never
	if r.deflate && (h.opcode == opText || h.opcode == opBinary) {
		allowed = rsvCompressed
	}
	switch {
	case h.rsv&^allowed != 0:
		return LostReservedBits
	case h.masked != (r.from == FromClient):
		return LostMask
	case h.length < 0:
		return LostLength
	}
	switch h.opcode {
	case opContinuation:
		if r.opcode == 0 {
			return LostContinuation
		}
	case opText, opBinary:
		if r.opcode != 0 {
			return LostInterrupted
		}
	case opClose, opPing, opPong:
		if !h.fin {
			return LostControlFragmented
		}
		if h.length > maxControlBytes {
			return LostControlTooLong
		}
	default:
		return LostOpcode
	}
	return NotLost
}

// takePayload reads a piece of a frame's payload and returns the rest of the chunk.
func (r *Reader) takePayload(chunk []byte) []byte {
	n := int(min(r.left, int64(len(chunk))))
	b, rest := chunk[:n:n], chunk[n:]
	key := r.frame.key
	switch {
	case r.frame.opcode.isControl():
		unmask(r.control[r.frame.length-r.left:], b, key)
	case r.compressed:
		r.packing.write(b, key)
		r.wire += int64(n)
	case key == 0 && r.wire == 0 && r.frame.fin && int64(n) == r.left:
		r.whole = b
		r.wire = int64(n)
	default:
		r.text.write(b, key, r.limit)
		r.wire += int64(n)
	}
	r.left -= int64(n)
	if r.left == 0 {
		r.endFrame()
	} else {
		r.frame.key = turn(key, n)
	}
	return rest
}

// endFrame completes a frame and, with its last one, the message.
func (r *Reader) endFrame() {
	r.inFrame = false
	switch r.frame.opcode {
	case opPing:
		r.stats.Pings++
	case opPong:
		r.stats.Pongs++
	case opClose:
		r.stats.Close = parseClose(r.control[:r.frame.length])
		r.stats.Close.At = r.at
		r.finish()
		r.sink.CloseFrame(r.stats.Close)
	default:
		if r.frame.fin {
			r.endMessage()
		}
	}
}

// lose gives the direction up.
func (r *Reader) lose(reason Lost) {
	r.stats.Lost = reason
	r.finish()
	r.sink.Lost(reason)
}

// finish lets go of what is not needed any more: all of it.
func (r *Reader) finish() {
	r.done = true
	r.text, r.packing = clip{}, packing{}
}
