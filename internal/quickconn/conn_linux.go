package quickconn

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// conn is a TCP connection with other reads and writes. It has no ReadFrom and no WriteTo: a copy from one connection
// to another must go through here, and not past it through splice(2).
type conn struct {
	net.Conn
	raw         syscall.RawConn
	reads, puts half
}

// Wrap returns conn with cheaper reads and writes, or conn itself if it is no TCP connection.
func Wrap(plain net.Conn) net.Conn {
	tcp, ok := plain.(*net.TCPConn)
	if !ok {
		return plain
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return plain
	}
	c := &conn{Conn: plain, raw: raw}
	c.reads.call, c.puts.call = c.reads.read, c.puts.write
	return c
}

// half is one direction of a connection: the call under way, which the network poller repeats when the socket is ready.
type half struct {
	mu    sync.Mutex
	calls uint
	p     []byte
	n     int
	errno syscall.Errno
	call  func(fd uintptr) (done bool)
}

// begin takes the half and reports whether this call is to be an ordinary one.
func (h *half) begin(p []byte) (ordinary bool) {
	h.mu.Lock()
	h.calls++
	h.p, h.n, h.errno = p, 0, 0
	return h.calls%heartbeat == 0 || len(p) == 0
}

func (h *half) end() {
	h.p = nil
	h.mu.Unlock()
}

// read reads once.
func (h *half) read(fd uintptr) (done bool) {
	for {
		n, errno := rawRead(fd, h.p)
		switch errno {
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			h.n, h.errno = n, errno
			return true
		}
	}
}

// write writes until everything is written, or the socket is full.
func (h *half) write(fd uintptr) (done bool) {
	for h.n < len(h.p) {
		n, errno := rawWrite(fd, h.p[h.n:])
		switch errno {
		case 0:
			h.n += n
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			h.errno = errno
			return true
		}
	}
	return true
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	h := &c.reads
	ordinary := h.begin(p)
	defer h.end()
	if ordinary {
		return c.Conn.Read(p)
	}
	if err := c.raw.Read(h.call); err != nil {
		return 0, c.failure("read", err)
	}
	if h.errno != 0 {
		return 0, c.failure("read", os.NewSyscallError("read", h.errno))
	}
	if h.n == 0 {
		return 0, io.EOF
	}
	return h.n, nil
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	h := &c.puts
	ordinary := h.begin(p)
	defer h.end()
	if ordinary {
		return c.Conn.Write(p)
	}
	if err := c.raw.Write(h.call); err != nil {
		return h.n, c.failure("write", err)
	}
	if h.errno != 0 {
		return h.n, c.failure("write", os.NewSyscallError("write", h.errno))
	}
	return h.n, nil
}

// failure returns an error as the net package words it.
func (c *conn) failure(op string, err error) error {
	if told, ok := errors.AsType[*net.OpError](err); ok {
		err = told.Err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// CloseWrite ends what this side sends. Servers of net/http look for it.
func (c *conn) CloseWrite() error {
	tcp, ok := c.Conn.(*net.TCPConn)
	if !ok {
		return syscall.EINVAL
	}
	return tcp.CloseWrite()
}
