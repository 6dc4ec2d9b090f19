// Package faultrelay is a TCP relay that makes the mistakes of networks: it
// delays, slices into single bytes, stalls, closes one or both directions, and
// resets. Put it between any two programs of a test.
package faultrelay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Action is what a relay does when the mark of a Fault has passed.
type Action uint8

// The actions. Those that end a connection do so for both sides at once.
const (
	Pass      Action = iota // nothing
	Reset                   // reset both connections
	Close                   // close both connections
	HalfClose               // end this direction as if its sender had, and leave the other one
	Stall                   // pass nothing more in this direction until Release
)

// String returns the name of the action.
func (a Action) String() string {
	return [...]string{"pass", "reset", "close", "half-close", "stall"}[a]
}

// Fault is what happens to one direction of a connection. The zero value passes
// everything as it comes.
type Fault struct {
	// Delay is waited before each write.
	Delay time.Duration
	// Slice is the most bytes of one write; 0 writes what was read.
	Slice int
	// Mark is the text after which Action happens; everything read together with
	// it is passed on before, unless Exact. Empty stands for the first bytes.
	Mark string
	// Exact passes nothing on that is behind the mark before Action happens.
	Exact bool
	// Action is what happens then, once.
	Action Action
}

// Plan is what happens to the connections of a relay.
type Plan struct{ ToServer, ToClient Fault }

// Relay listens on Addr and passes connections on to its target.
type Relay struct {
	Addr string

	plan     Plan
	target   string
	listener net.Listener
	release  chan struct{}
	acted    chan struct{}
	once     sync.Once
	released sync.Once
	healed   atomic.Bool
	pipes    sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

// Start starts a relay to target, a host and a port.
func Start(ctx context.Context, target string, plan Plan) (*Relay, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start relay: %w", err)
	}
	r := &Relay{
		Addr: listener.Addr().String(), plan: plan, target: target, listener: listener,
		release: make(chan struct{}), acted: make(chan struct{}), conns: make(map[net.Conn]struct{}),
	}
	r.pipes.Go(func() { r.accept(ctx) })
	return r, nil
}

// Acted is closed when an action has happened on one of the connections.
func (r *Relay) Acted() <-chan struct{} { return r.acted }

// Heal ends the faults of what comes later, and lets go on what is stalled.
func (r *Relay) Heal() {
	r.healed.Store(true)
	r.Release()
}

// Release lets go on what is stalled, now and later.
func (r *Relay) Release() { r.released.Do(func() { close(r.release) }) }

// Close ends the relay with all its connections.
func (r *Relay) Close() {
	_ = r.listener.Close()
	r.Release()
	r.mu.Lock()
	r.closed = true
	for conn := range r.conns {
		_ = conn.Close()
	}
	r.mu.Unlock()
	r.pipes.Wait()
}

func (r *Relay) accept(ctx context.Context) {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.pipes.Go(func() { r.relay(ctx, client) })
	}
}

// relay passes on one connection until both directions have ended.
func (r *Relay) relay(ctx context.Context, client net.Conn) {
	defer client.Close()
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.target)
	if err != nil {
		return
	}
	defer server.Close()
	if !r.keep(client, server) {
		return
	}
	defer r.forget(client, server)
	var both sync.WaitGroup
	both.Go(func() { r.pipe(client, server, r.plan.ToServer) })
	both.Go(func() { r.pipe(server, client, r.plan.ToClient) })
	both.Wait()
}

func (r *Relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range conns {
		r.conns[conn] = struct{}{}
	}
	return !r.closed
}

func (r *Relay) forget(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range conns {
		delete(r.conns, conn)
	}
}

// pipe passes on one direction.
func (r *Relay) pipe(from, to net.Conn, fault Fault) {
	buffer := make([]byte, 32<<10)
	watch := watch{mark: []byte(fault.Mark), over: fault.Action == Pass}
	for {
		n, err := from.Read(buffer)
		read := buffer[:n]
		if end, hit := watch.look(read); hit && !r.healed.Load() {
			if !fault.Exact {
				end = n
			}
			if !r.write(to, read[:end], fault) || !r.act(from, to, fault.Action) {
				return
			}
			read = read[end:]
		}
		if len(read) > 0 && !r.write(to, read, fault) {
			_ = from.Close()
			return
		}
		if err != nil {
			r.end(to, err)
			return
		}
	}
}

// watch looks for a mark in what is read in pieces.
type watch struct {
	mark []byte
	seen []byte // the end of what was read, in which the mark may begin
	over bool   // found, or not looked for
}

// look reports whether the mark ends in b, and where.
func (w *watch) look(b []byte) (end int, hit bool) {
	if w.over || len(b) == 0 {
		return 0, false
	}
	before := len(w.seen)
	w.seen = append(w.seen, b...)
	if at := bytes.Index(w.seen, w.mark); at >= 0 {
		w.over = true
		return max(0, at+len(w.mark)-before), true
	}
	w.seen = w.seen[max(0, len(w.seen)-len(w.mark)):]
	return 0, false
}

// write passes on bytes, sliced and delayed.
func (r *Relay) write(to net.Conn, b []byte, fault Fault) bool {
	for len(b) > 0 {
		n := len(b)
		if r.healed.Load() {
			fault = Fault{}
		}
		if fault.Slice > 0 {
			n = min(n, fault.Slice)
		}
		if fault.Delay > 0 {
			<-time.After(fault.Delay)
		}
		if _, err := to.Write(b[:n]); err != nil {
			return false
		}
		b = b[n:]
	}
	return true
}

// end passes on the end of a direction: a clean one ends that direction alone.
func (r *Relay) end(to net.Conn, err error) {
	if errors.Is(err, net.ErrClosed) || !isEOF(err) {
		_ = to.Close()
		return
	}
	closeWrite(to)
}

// act does what a fault asks for and reports whether the direction goes on.
func (r *Relay) act(from, to net.Conn, action Action) bool {
	switch action {
	case Reset:
		reset(from)
		reset(to)
	case Close:
		_ = from.Close()
		_ = to.Close()
	case HalfClose:
		closeWrite(to)
	case Stall, Pass:
	}
	r.once.Do(func() { close(r.acted) })
	switch action {
	case HalfClose:
		drain(from) // What still comes is nobody's.
	case Stall:
		<-r.release
	case Pass, Reset, Close:
	}
	return action == Stall || action == Pass
}
