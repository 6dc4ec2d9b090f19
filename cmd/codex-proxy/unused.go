package main

import (
	"net"
	"net/http"
	"sync"
)

// unusedConns knows the connections over which nothing has come yet. A shutdown of net/http waits for them for five
// seconds, and some clients open connections ahead.
type unusedConns struct {
	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

// state is the ConnState of a server.
func (u *unusedConns) state(conn net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(u.conns, conn)
	case u.closed:
		_ = conn.Close()
	default:
		if u.conns == nil {
			u.conns = make(map[net.Conn]struct{})
		}
		u.conns[conn] = struct{}{}
	}
}

// close closes them, and those that are still to come.
func (u *unusedConns) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	for conn := range u.conns {
		_ = conn.Close()
	}
}
