//go:build !linux

package quickconn

import "net"

// Wrap returns conn.
func Wrap(conn net.Conn) net.Conn { return conn }
