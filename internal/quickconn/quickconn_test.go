package quickconn

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// pair returns both ends of a TCP connection, wrapped.
func pair(tb testing.TB) (client, server net.Conn) {
	tb.Helper()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	l := Listen(plain)
	defer l.Close()
	dialed, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	client = Wrap(dialed)
	if server, err = l.Accept(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func TestConnPassesBytes(t *testing.T) {
	client, server := pair(t)
	want := make([]byte, 5<<20)
	_, _ = rand.Read(want)
	var both sync.WaitGroup
	for _, c := range []net.Conn{client, server} {
		both.Go(func() {
			// More than a socket holds, so that writes wait; in pieces of many sizes.
			for rest, n := want, 1; len(rest) > 0; n = n*3%1_000_003 + 1 {
				n = min(n, len(rest))
				if got, err := c.Write(rest[:n]); got != n || err != nil {
					t.Errorf("Write() = %d, %v; want %d", got, err, n)
				}
				rest = rest[n:]
			}
			if half, ok := c.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
				t.Error("CloseWrite() fails")
			}
		})
		both.Go(func() {
			if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, want) {
				t.Errorf("read %d bytes, %v; want the %d written, then the end", len(got), err, len(want))
			}
		})
	}
	both.Wait()
}

func TestConnNothing(t *testing.T) {
	client, _ := pair(t)
	for range 2 * heartbeat {
		if n, err := client.Read(nil); n != 0 || err != nil {
			t.Errorf("Read(nil) = %d, %v; want 0", n, err)
		}
		if n, err := client.Write(nil); n != 0 || err != nil {
			t.Errorf("Write(nil) = %d, %v; want 0", n, err)
		}
	}
}

// TestConnFailures sets what a wrapped connection says against what a plain one does.
func TestConnFailures(t *testing.T) {
	full := make([]byte, 64<<20)
	for _, c := range []struct { // nil wants any error: the kernel has two words for a reset
		name    string
		prepare func(client, server net.Conn)
		do      func(client net.Conn) (int, error)
		op      string
		want    error
	}{
		{"read past the deadline", func(c, _ net.Conn) { c.SetDeadline(time.Now().Add(20 * time.Millisecond)) }, func(c net.Conn) (int, error) { return c.Read(make([]byte, 1)) }, "read", os.ErrDeadlineExceeded},
		{"write past the deadline", func(c, _ net.Conn) { c.SetDeadline(time.Now().Add(20 * time.Millisecond)) }, func(c net.Conn) (int, error) { return c.Write(full) }, "write", os.ErrDeadlineExceeded},
		{"read when closed", func(c, _ net.Conn) { c.Close() }, func(c net.Conn) (int, error) { return c.Read(make([]byte, 1)) }, "read", net.ErrClosed},
		{"write when closed", func(c, _ net.Conn) { c.Close() }, func(c net.Conn) (int, error) { return c.Write([]byte("x")) }, "write", net.ErrClosed},
		{"closed while reading", func(c, _ net.Conn) { time.AfterFunc(20*time.Millisecond, func() { c.Close() }) }, func(c net.Conn) (int, error) { return c.Read(make([]byte, 1)) }, "read", net.ErrClosed},
		{"closed while writing", func(c, _ net.Conn) { time.AfterFunc(50*time.Millisecond, func() { c.Close() }) }, func(c net.Conn) (int, error) { return c.Write(full) }, "write", net.ErrClosed},
		{"read when reset", func(_, s net.Conn) { reset(s) }, func(c net.Conn) (int, error) { return c.Read(make([]byte, 1)) }, "read", nil},
		{"write when reset", func(_, s net.Conn) { reset(s) }, func(c net.Conn) (int, error) { return c.Write(full) }, "write", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, server := pair(t)
			c.prepare(client, server)
			n, err := c.do(client)
			var told *net.OpError
			if !errors.As(err, &told) || told.Op != c.op || told.Addr == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("= %d, %v; want a %s error that is %v", n, err, c.op, c.want)
			}
			if n == len(full) {
				t.Error("everything was written; want less")
			}
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() != errors.Is(c.want, os.ErrDeadlineExceeded) {
				t.Errorf("Timeout() = %v", timeout.Timeout())
			}
		})
	}
}

// reset closes a connection without a farewell.
func reset(c net.Conn) {
	if wrapped, ok := c.(interface{ reset() }); ok {
		wrapped.reset()
	}
	c.Close()
}

// A deadline that is moved while a read waits must wake it, as net/http's server counts on.
func TestConnDeadlineMovesWhileReading(t *testing.T) {
	client, server := pair(t)
	failed := make(chan error)
	go func() {
		_, err := client.Read(make([]byte, 1))
		failed <- err
	}()
	client.SetReadDeadline(time.Unix(1, 0))
	if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read() = %v; want the deadline", err)
	}
	client.SetReadDeadline(time.Time{})
	server.Write([]byte("x"))
	if n, err := client.Read(make([]byte, 2)); n != 1 || err != nil {
		t.Errorf("Read() = %d, %v; want the byte that came later", n, err)
	}
}

func TestConnAllocatesNothing(t *testing.T) {
	client, server := pair(t)
	buf := make([]byte, 16)
	turn := func() {
		if _, err := client.Write(buf); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(server, buf); err != nil {
			t.Fatal(err)
		}
	}
	if allocs := testing.AllocsPerRun(1000, turn); allocs != 0 {
		t.Errorf("%v allocations for a write and a read; want 0", allocs)
	}
}

func TestWrapLeavesOthers(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if Wrap(a) != a {
		t.Error("Wrap() of a pipe is not the pipe")
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	client, server := pair(b)
	go func() { _, _ = io.Copy(server, server) }()
	buf := make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(client, buf); err != nil {
			b.Fatal(err)
		}
	}
}
