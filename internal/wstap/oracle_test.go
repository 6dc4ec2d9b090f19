package wstap

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
)

// interpret is RFC 6455 §5 and RFC 7692 §7.2 taken word by word over a whole stream, with the standard library's inflate
// and no thought of speed. It knows the bounds of the Reader.
func interpret(from Direction, opts Options, stream []byte) (calls []seen, unfinished bool) {
	var past []byte // everything decompressed that may be referred to
	var message []byte
	var kind byte
	var compressed bool
	fail := func(l Lost) ([]seen, bool) { return append(calls, lost(l)), false }
	for len(stream) > 0 {
		if len(stream) < 2 {
			return calls, true
		}
		first, second := stream[0], stream[1]
		rest := stream[2:]
		length := uint64(second & 127)
		size := map[uint64]int{126: 2, 127: 8}[length]
		if len(rest) < size {
			return calls, true
		}
		if size > 0 {
			length = binary.BigEndian.Uint64(append(make([]byte, 8-size), rest[:size]...))
			rest = rest[size:]
		}
		masked, key := second >= 128, []byte{0, 0, 0, 0}
		if masked {
			if len(rest) < 4 {
				return calls, true
			}
			key, rest = rest[:4], rest[4:]
		}
		fin, op := first >= 128, first&15
		rsv := first >> 4 & 7
		if rsv == 4 && opts.Deflate.Enabled && (op == 1 || op == 2) {
			rsv = 0
		}
		control := op >= 8
		switch {
		case rsv != 0:
			return fail(LostReservedBits)
		case masked == (from == FromServer):
			return fail(LostMask)
		case length > 1<<63-1:
			return fail(LostLength)
		case op == 0 && kind == 0:
			return fail(LostContinuation)
		case op > 10 || op > 2 && op < 8:
			return fail(LostOpcode)
		case !control && op != 0 && kind != 0:
			return fail(LostInterrupted)
		case control && !fin:
			return fail(LostControlFragmented)
		case control && length > 125:
			return fail(LostControlTooLong)
		}
		if length > uint64(len(rest)) {
			return calls, true
		}
		payload := bytes.Clone(rest[:length])
		stream = rest[length:]
		for i := range payload {
			payload[i] ^= key[i%4]
		}
		if op == 8 {
			code, reason := CodeNone, ""
			if len(payload) > 1 {
				code, reason = int(payload[0])<<8+int(payload[1]), string(payload[2:])
			}
			return append(calls, closed(code, reason)), false
		}
		if control {
			continue
		}
		if op != 0 {
			kind, compressed, message = op, first&64 != 0, nil
		}
		message = append(message, payload...)
		if !fin {
			continue
		}
		s := seen{Kind: map[byte]string{1: "text", 2: "binary"}[kind], WireSize: int64(len(message)), Compressed: compressed}
		out := message
		if compressed {
			out, past, s.Cut = expand(from, opts, message, past)
		}
		limit := opts.maxMessageBytes()
		s.Size, s.Data = int64(len(out)), string(out[:min(len(out), limit)])
		if len(out) > limit && s.Cut == Whole {
			s.Cut, s.Tail = CutLong, string(out[max(0, len(out)-TailBytes):])
		}
		calls = append(calls, s)
		kind = 0
	}
	return calls, kind != 0
}

// expand decompresses one message. It returns how far that went and what later messages may refer to.
func expand(from Direction, opts Options, message, past []byte) (out, next []byte, c Cut) {
	takeover := map[Direction]bool{FromClient: !opts.Deflate.ClientNoContextTakeover, FromServer: !opts.Deflate.ServerNoContextTakeover}[from]
	room := opts.maxInflatedBytes()
	cutOff := len(message) > opts.maxMessageBytes()
	in := bytes.NewReader(append(bytes.Clone(message), "\x00\x00\xff\xff\x01\x00\x00\xff\xff"...))
	if cutOff {
		in.Reset(message[:opts.maxMessageBytes()])
	}
	if len(message) == 0 {
		in.Reset(nil)
	}
	var err error
	known := bytes.Clone(past)
	for i := 0; in.Len() > 0 && (i == 0 || in.Len() != 9); i++ {
		if i == maxLastBlocks {
			err = errors.New("too many")
			break
		}
		known = known[max(0, len(known)-opts.Deflate.windowBytes(from)):]
		var b []byte
		b, err = io.ReadAll(io.LimitReader(flate.NewReaderDict(in, known), room+1-int64(len(out))))
		out, known = append(out, b...), append(known, b...)
		if int64(len(out)) > room {
			return out[:room], nil, CutInflated
		}
		if err != nil {
			break
		}
	}
	switch {
	case cutOff:
		return out, nil, CutCompressed
	case err != nil:
		return out, nil, CutCorrupt
	case !takeover:
		return out, nil, Whole
	}
	return out, known, Whole
}
