package wstap

import (
	"bytes"
	"testing"
)

func TestUnmask(t *testing.T) {
	plain := []byte(noise(1, 400))
	key := uint32(0x3d21fa37)
	for at := range 16 {
		for n := range 150 {
			src := bytes.Clone(plain[at : at+n])
			want := make([]byte, n)
			for i, b := range src {
				want[i] = b ^ []byte{0x37, 0xfa, 0x21, 0x3d}[(i+3)%4]
			}
			dst := make([]byte, n+1)
			unmask(dst, src, turn(key, 3))
			if !bytes.Equal(dst[:n], want) || dst[n] != 0 {
				t.Errorf("%d bytes at %d: unmask differs, or wrote past the end", n, at)
			}
			if !bytes.Equal(src, plain[at:at+n]) {
				t.Errorf("%d bytes at %d: unmask wrote to its source", n, at)
			}
		}
	}
}

func TestTurn(t *testing.T) {
	key := uint32(0x04030201)
	for n, want := range []uint32{0x04030201, 0x01040302, 0x02010403, 0x03020104, 0x04030201} {
		if got := turn(key, n); got != want {
			t.Errorf("turn(%#x, %d) = %#x; want %#x", key, n, got, want)
		}
	}
	if got := turn(key, 1<<30+2); got != 0x02010403 {
		t.Errorf("turn by a lot = %#x; want %#x", got, 0x02010403)
	}
}
