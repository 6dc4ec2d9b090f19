package main

import "net"

// selfAddress knows the addresses that lead to the own listener.
type selfAddress struct{ listen *net.TCPAddr }

// newSelfAddress returns the selfAddress of a TCP listener.
func newSelfAddress(listen net.Addr) selfAddress {
	tcp, ok := listen.(*net.TCPAddr)
	if !ok {
		tcp = &net.TCPAddr{}
	}
	return selfAddress{listen: tcp}
}

// is reports whether a connection to addr arrives at the own listener.
func (s selfAddress) is(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || tcp.Port != s.listen.Port {
		return false
	}
	if !s.listen.IP.IsUnspecified() {
		return tcp.IP.Equal(s.listen.IP)
	}
	return tcp.IP.IsLoopback() || tcp.IP.IsUnspecified() || isLocal(tcp.IP)
}

// isLocal reports whether ip is an address of this machine. Addresses come and go, so they are asked for each time,
// once a new connection.
func isLocal(ip net.IP) bool {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, addr := range addrs {
		if network, ok := addr.(*net.IPNet); ok && network.IP.Equal(ip) {
			return true
		}
	}
	return false
}
