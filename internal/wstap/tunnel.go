package wstap

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Sinks receive what a Tunnel sees. Each may be nil.
//
// What the client sends goes to Client, on the goroutine that calls Write; what the server sends goes to Server, on the
// goroutine that calls Read. So the two run at the same time and in no order: a reply may be seen before what it replies
// to. The times of messages tell: a message from the client has the time before it was passed on, so that replies to it
// are later.
//
// End is called exactly once, when Close was called and no Read or Write is in progress any more, on whichever goroutine
// came last. Nothing comes after it, and it sees what Client and Server did. The last bytes from the server may be shown
// by Close, on its goroutine.
//
// None of them may call methods of the Tunnel. If one of them panics, that is contained: Client or Server get nothing
// more then, and End is called in any case.
type Sinks struct {
	Client, Server Sink
	End            func(End)
}

// Tunnel is the connection to the server of a WebSocket, as the body of a 101 response is, with a Reader on each
// direction: what is read from it and what is written to it passes as it is, and is looked at afterwards.
//
// For Write that means: after the connection took the bytes. For Read it means: when the next Read or Close shows that
// the caller is done with them. They are not copied, so the buffer given to Read must stay untouched until the next Read
// or Close returns. The copy loops of httputil.ReverseProxy keep to that. Nothing is held back for a message to become
// complete.
//
// When the connection returns bytes together with an error, Read returns the bytes alone and the error at the next call.
// Apart from that results are passed on unchanged. A Tunnel has neither ReadFrom nor WriteTo, as the kernel cannot copy
// bytes that are to be seen. The body that net/http gives for a 101 has none either, so nothing is given up.
//
// One goroutine may call Read, another one Write and CloseWrite, and any of them Close, also while others are blocked. A
// Tunnel that is never closed has no End.
type Tunnel struct {
	conn  io.ReadWriteCloser
	sinks Sinks
	now   func() time.Time
	seq   atomic.Int64

	client, server half
	held           error // came along with bytes, for the next Read

	closing  sync.Once
	closeErr error

	mu     sync.Mutex // guards what follows; never held during calls of conn or a Sink
	active int        // calls of Read and Write in progress, and of Close
	closed bool
	end    End
}

var _ io.ReadWriteCloser = (*Tunnel)(nil)

// NewTunnel returns a Tunnel that passes bytes to and from conn and reports to sinks.
func NewTunnel(conn io.ReadWriteCloser, sinks Sinks, opts Options) *Tunnel {
	t := &Tunnel{conn: conn, sinks: sinks, now: opts.clock()}
	t.client.init(FromClient, sinks.Client, opts)
	t.server.init(FromServer, sinks.Server, opts)
	return t
}

// Read shows the bytes of the previous Read to the Reader of what the server sends, and reads from the connection.
func (t *Tunnel) Read(p []byte) (int, error) {
	live := t.enter()
	if live {
		defer t.leave()
	}
	t.server.settle()
	if err := t.held; err != nil {
		t.held = nil
		return 0, err
	}
	n, err := t.conn.Read(p)
	if err != nil {
		t.fail(EndedByReadError, err)
	}
	if n <= 0 || !live {
		return n, err
	}
	c := t.stamp()
	c.b = p[:min(n, len(p))]
	if !t.lend(c) {
		t.server.take(c)
		return n, err
	}
	t.held = err
	return n, nil
}

// Write writes to the connection and shows what it took to the Reader of what the client sends.
func (t *Tunnel) Write(p []byte) (int, error) {
	live := t.enter()
	if live {
		defer t.leave()
	}
	c := t.stamp()
	n, err := t.conn.Write(p)
	if err != nil {
		t.fail(EndedByWriteError, err)
	}
	if n > 0 && live {
		c.b = p[:min(n, len(p))]
		t.client.take(c)
	}
	return n, err
}

// CloseWrite tells the connection that no more will be written, if it can be told so.
func (t *Tunnel) CloseWrite() error {
	t.mu.Lock()
	if !t.closed && t.end.Err == nil {
		t.end.ClientEOF = true
	}
	t.mu.Unlock()
	if c, ok := t.conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return fmt.Errorf("close write: %w", errors.ErrUnsupported)
}

// Close closes the connection, which frees Reads and Writes that are blocked, and with the last of them the tunnel ends.
// It does not wait for them, nor for a Sink that is at work. Further calls return the same error and do nothing.
func (t *Tunnel) Close() error {
	t.closing.Do(func() {
		t.mu.Lock()
		t.closed = true
		t.end.At = t.now()
		t.active++
		t.mu.Unlock()
		// A connection whose Close panics has ended, too.
		defer t.leave()
		defer t.server.trySettle()
		t.closeErr = t.conn.Close()
	})
	return t.closeErr
}

// stamp gives the next chunk its time and place.
func (t *Tunnel) stamp() chunk {
	return chunk{at: t.now(), seq: t.seq.Add(1)}
}

// enter notes a call in progress. It reports false if the tunnel was closed before.
func (t *Tunnel) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.active++
	return true
}

// leave ends a call in progress and, with the last one of all, the tunnel.
func (t *Tunnel) leave() {
	t.mu.Lock()
	t.active--
	last := t.closed && t.active == 0 // which happens once, as nothing enters any more
	t.mu.Unlock()
	if last {
		t.conclude()
	}
}

// lend keeps a chunk for the next Read or Close. It reports false if that is past: nobody would ask for it any more.
func (t *Tunnel) lend(c chunk) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.server.lend(c)
	}
	return !t.closed
}

// fail notes the first error. One that comes after Close is Close's doing.
func (t *Tunnel) fail(by EndedBy, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.end.Err != nil {
		return
	}
	t.end.Err = err
	if !t.end.ClientEOF { // the server hangs up when the client has
		t.end.By = by
	}
}

// conclude sums up. Nothing else is in progress.
func (t *Tunnel) conclude() {
	t.mu.Lock()
	end := t.end
	t.mu.Unlock()
	var byClient, byServer, clientPanics, serverPanics int64
	end.Client, byClient, clientPanics = t.client.sum()
	end.Server, byServer, serverPanics = t.server.sum()
	end.Panics = clientPanics + serverPanics
	switch {
	case byClient > 0 && (byServer == 0 || byClient < byServer):
		end.By = EndedByClient
	case byServer > 0:
		end.By = EndedByServer
	}
	if t.sinks.End != nil {
		g := guard{onPanic: t.client.guard.onPanic}
		defer g.contain()
		t.sinks.End(end)
	}
}
