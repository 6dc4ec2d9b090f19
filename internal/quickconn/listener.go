package quickconn

import "net"

// listener wraps what it accepts.
type listener struct{ net.Listener }

// Listen returns l with every connection that it accepts wrapped.
func Listen(l net.Listener) net.Listener { return listener{l} }

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Wrap(conn), nil
}
