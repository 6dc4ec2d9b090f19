package wstap

import "encoding/binary"

// Direction is who sends.
type Direction uint8

const (
	// FromClient is what the client sends: every frame is masked (RFC 6455 §5.1).
	FromClient Direction = iota
	// FromServer is what the server sends: no frame is masked.
	FromServer
)

// String returns "client" or "server".
func (d Direction) String() string {
	if d == FromClient {
		return "client"
	}
	return "server"
}

// opcode is the kind of a frame (RFC 6455 §5.2).
type opcode uint8

const (
	opContinuation opcode = 0x0
	opText         opcode = 0x1
	opBinary       opcode = 0x2
	opClose        opcode = 0x8
	opPing         opcode = 0x9
	opPong         opcode = 0xA
)

func (o opcode) isControl() bool { return o&0x8 != 0 }

const (
	minHeaderBytes  = 2
	maxHeaderBytes  = 14
	maxControlBytes = 125
	// rsvCompressed is the reserved bit that permessage-deflate uses (RFC 7692 §6).
	rsvCompressed = 0x40
)

// header is what stands before the payload of a frame.
type header struct {
	fin    bool
	masked bool
	opcode opcode
	rsv    byte  // the reserved bits, where they stand in the first byte
	length int64 // negative if its highest bit is set, which is forbidden
	key    uint32
}

// headerBytes returns the length of a header by its second byte.
func headerBytes(second byte) int {
	n := minHeaderBytes
	switch second & 0x7F {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if second&0x80 != 0 {
		n += 4
	}
	return n
}

// parseHeader reads a complete header.
func parseHeader(b []byte) header {
	h := header{
		fin:    b[0]&0x80 != 0,
		rsv:    b[0] & 0x70,
		opcode: opcode(b[0] & 0x0F),
		masked: b[1]&0x80 != 0,
		length: int64(b[1] & 0x7F),
	}
	switch b = b[minHeaderBytes:]; h.length {
	case 126:
		h.length = int64(binary.BigEndian.Uint16(b))
		b = b[2:]
	case 127:
		h.length = int64(binary.BigEndian.Uint64(b)) //nolint:gosec // the sign is the forbidden bit
		b = b[8:]
	}
	if h.masked {
		h.key = binary.LittleEndian.Uint32(b)
	}
	return h
}
