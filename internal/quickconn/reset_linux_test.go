package quickconn

import "net"

func (c *conn) reset() { _ = c.Conn.(*net.TCPConn).SetLinger(0) }
