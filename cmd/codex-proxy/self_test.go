package main

import (
	"net"
	"testing"
)

func TestSelfAddress(t *testing.T) {
	address := func(text string) *net.TCPAddr {
		addr, err := net.ResolveTCPAddr("tcp", text)
		if err != nil {
			t.Fatal(err)
		}
		return addr
	}
	for _, test := range []struct {
		listen, dialed string
		want           bool
	}{
		{"127.0.0.1:8787", "127.0.0.1:8787", true},
		{"127.0.0.1:8787", "127.0.0.1:8788", false},
		{"127.0.0.1:8787", "127.0.0.2:8787", false},
		{"0.0.0.0:8787", "127.0.0.2:8787", true},
		{"[::]:8787", "[::1]:8787", true},
		{"0.0.0.0:8787", "192.0.2.1:8787", false},
	} {
		if got := newSelfAddress(address(test.listen)).is(address(test.dialed)); got != test.want {
			t.Errorf("listening on %s, is(%s) = %t; want %t", test.listen, test.dialed, got, test.want)
		}
	}
	if newSelfAddress(&net.UnixAddr{}).is(address("127.0.0.1:0")) {
		t.Error("is() of a socket without a port = true; want false")
	}
}
