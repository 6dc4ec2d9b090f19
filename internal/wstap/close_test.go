package wstap

import (
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
)

func TestTunnelCloseFreesBlockedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, _ := net.Pipe() // nobody reads or writes at the far end
		var got audience
		tunnel := NewTunnel(near, got.sinks(), Options{})
		errs := make(chan error, 2)
		go func() { _, err := tunnel.Read(make([]byte, 8)); errs <- err }()
		go func() { _, err := tunnel.Write(frames(masked(text("1")))); errs <- err }()
		synctest.Wait() // both are blocked
		tunnel.Close()
		for range 2 {
			if err := <-errs; !same(err, io.ErrClosedPipe) {
				t.Errorf("blocked call = %v; want the connection's own error", err)
			}
		}
		if len(got.ends) != 1 || got.ends[0].By != EndedByClosed || got.ends[0].Err != nil {
			t.Errorf("ends = %+v; want one by the owner, without error", got.ends)
		}
	})
}

// TestTunnelEndComesLast closes while a Sink is at work, in either direction. Close does not wait for it, End does.
func TestTunnelEndComesLast(t *testing.T) {
	for _, from := range []Direction{FromClient, FromServer} {
		synctest.Test(t, func(t *testing.T) {
			proceed, order := make(chan struct{}), make(chan string, 3)
			sink := &funcSink{message: func(*Message) { <-proceed; order <- "message" }}
			conn := newScript(step{data: str(text("1"))})
			tunnel := NewTunnel(conn, Sinks{Client: sink, Server: sink, End: func(End) { order <- "end" }}, Options{})
			go func() {
				if from == FromClient {
					tunnel.Write(frames(masked(text("1"))))
					return
				}
				readAll(tunnel)
			}()
			synctest.Wait() // the Sink is at work
			go func() { tunnel.Close(); order <- "closed" }()
			synctest.Wait()
			if conn.closes != 1 {
				t.Errorf("from %v: the connection was not closed while the Sink was at work", from)
			}
			close(proceed)
			synctest.Wait()
			close(order)
			var got []string
			for s := range order {
				if s != "closed" {
					got = append(got, s)
				}
			}
			if len(got) != 2 || got[1] != "end" {
				t.Errorf("from %v: order = %v; want the message, then the end", from, got)
			}
		})
	}
}

// TestTunnelBytesLentAtClose has bytes that the owner passed on, but not yet come back after, when somebody closes.
func TestTunnelBytesLentAtClose(t *testing.T) {
	var got audience
	tunnel := NewTunnel(newScript(step{data: str(text("1"))}, step{data: str(text("2"))}), got.sinks(), Options{})
	buf := make([]byte, 64)
	tunnel.Read(buf)
	tunnel.Close()
	// The buffer is the owner's again.
	clear(buf)
	tunnel.Read(buf)
	if len(got.server.log) != 1 || got.server.log[0].Data != "1" || len(got.ends) != 1 || got.ends[0].Server.Messages != 1 {
		t.Errorf("calls = %+v, ends = %+v; want the first message in both", got.server.log, got.ends)
	}
}

// readingCloser is a connection whose Close lets the Read return that is in progress, with bytes.
type readingCloser struct {
	*script
	closed chan struct{}
}

func (c *readingCloser) Read(p []byte) (int, error) {
	<-c.closed
	return c.script.Read(p)
}

func (c *readingCloser) Close() error {
	close(c.closed)
	return nil
}

func TestTunnelBytesReadDuringClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &readingCloser{newScript(step{data: str(closing(1000, ""))}), make(chan struct{})}
		var got audience
		tunnel := NewTunnel(conn, got.sinks(), Options{})
		go func() {
			buf := make([]byte, 64)
			if n, err := tunnel.Read(buf); n != 4 || err != nil {
				t.Errorf("Read() = %d, %v; want 4, nil", n, err)
			}
			clear(buf) // nothing is lent after Close
		}()
		synctest.Wait()
		tunnel.Close()
		synctest.Wait()
		if len(got.ends) != 1 || got.ends[0].By != EndedByServer {
			t.Errorf("ends = %+v; want one by the server", got.ends)
		}
	})
}

// closePanics is a connection whose Close panics.
type closePanics struct{ *script }

func (closePanics) Close() error { panic("connection broke") }

func TestTunnelCloseThatPanics(t *testing.T) {
	var got audience
	tunnel := NewTunnel(closePanics{newScript(step{data: str(text("1"))})}, got.sinks(), Options{})
	tunnel.Read(make([]byte, 8))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic of the connection did not come through")
			}
		}()
		tunnel.Close()
	}()
	if len(got.ends) != 1 || len(got.server.log) != 1 {
		t.Errorf("%d ends, %d messages; want 1 and 1", len(got.ends), len(got.server.log))
	}
}

// TestTunnelRacesConcurrentSafe means something under the race detector: both directions at work, and closes from
// several sides. What the Sinks saw is read without a lock at the end.
func TestTunnelRacesConcurrentSafe(t *testing.T) {
	down, up := frames(text("1"), packed("\x00")), frames(masked(text("2")))
	for i := range 300 {
		near, far := net.Pipe()
		var got audience
		ended := make(chan struct{})
		sinks := got.sinks()
		sinks.End = func(end End) { got.ends = append(got.ends, end); close(ended) }
		opts := deflated
		opts.Pool = &Pool{}
		tunnel := NewTunnel(near, sinks, opts)
		var all sync.WaitGroup
		all.Go(func() { io.Copy(io.Discard, far) })
		all.Go(func() {
			for {
				if _, err := far.Write(down); err != nil {
					return
				}
			}
		})
		all.Go(func() { readAll(tunnel) })
		all.Go(func() {
			for {
				if _, err := tunnel.Write(up); err != nil {
					return
				}
			}
		})
		for j := range 2 {
			all.Go(func() {
				for range i * j {
					tunnel.CloseWrite()
				}
				tunnel.Close()
				far.Close()
			})
		}
		<-ended
		end := got.ends[0]
		if end.Client.Messages != int64(len(got.client.log)) || end.Server.Messages != int64(len(got.server.log)) {
			t.Fatalf("End has %d and %d messages; want the %d and %d delivered",
				end.Client.Messages, end.Server.Messages, len(got.client.log), len(got.server.log))
		}
		all.Wait()
		if len(got.ends) != 1 {
			t.Fatalf("%d ends; want 1", len(got.ends))
		}
	}
}
