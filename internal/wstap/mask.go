package wstap

import (
	"encoding/binary"
	"math/bits"
)

// A masking key (RFC 6455 §5.3) is kept in the order of the bytes, the next one to be used in the lowest place. A key of
// zero changes nothing and stands for no masking, too.

// turn returns the key as it stands n bytes further on.
func turn(key uint32, n int) uint32 {
	return bits.RotateLeft32(key, -8*(n&3))
}

// unmask sets the beginning of dst to src without its mask. It goes by words, so the alignment of a frame in its chunk
// does not matter.
func unmask(dst, src []byte, key uint32) {
	dst = dst[:len(src)]
	if key == 0 {
		copy(dst, src)
		return
	}
	wide := uint64(key)<<32 | uint64(key)
	for len(src) >= 32 && len(dst) >= 32 {
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(src)^wide)
		binary.LittleEndian.PutUint64(dst[8:], binary.LittleEndian.Uint64(src[8:])^wide)
		binary.LittleEndian.PutUint64(dst[16:], binary.LittleEndian.Uint64(src[16:])^wide)
		binary.LittleEndian.PutUint64(dst[24:], binary.LittleEndian.Uint64(src[24:])^wide)
		dst, src = dst[32:], src[32:]
	}
	for len(src) >= 8 && len(dst) >= 8 {
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(src)^wide)
		dst, src = dst[8:], src[8:]
	}
	for i, b := range src {
		dst[i] = b ^ byte(wide>>(8*i)&0xFF)
	}
}

// appendUnmasked appends src without its mask. There must be room for it.
func appendUnmasked(dst, src []byte, key uint32) []byte {
	n := len(dst)
	dst = dst[:n+len(src)]
	unmask(dst[n:], src, key)
	return dst
}
