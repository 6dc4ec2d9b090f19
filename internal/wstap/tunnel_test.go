package wstap

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTunnelPassesBytesOn(t *testing.T) {
	for _, c := range streamCases() {
		opts := Options{Deflate: Deflate{Enabled: c.deflate}}
		for _, size := range []int{1, 200} {
			if size == 1 && len(c.stream) > 4<<10 {
				continue
			}
			var steps []step
			for _, chunk := range cut(c.stream, size) {
				steps = append(steps, step{data: string(chunk)})
			}
			var got audience
			conn := newScript(steps...)
			tunnel := NewTunnel(conn, got.sinks(), opts)
			if read, err := readAll(tunnel); !bytes.Equal(read, c.stream) || !same(err, io.EOF) {
				t.Errorf("%s: read %d bytes, %v; want the %d of the connection, EOF", c.name, len(read), err, len(c.stream))
			}
			for _, chunk := range cut(c.stream, size) {
				before := bytes.Clone(chunk)
				if n, err := tunnel.Write(chunk); n != len(chunk) || err != nil || !bytes.Equal(chunk, before) {
					t.Errorf("%s: Write() = %d, %v; want %d, nil, and the chunk as it was", c.name, n, err, len(chunk))
				}
			}
			if !bytes.Equal(conn.written.Bytes(), c.stream) {
				t.Errorf("%s: other bytes were written", c.name)
			}
			tunnel.Close()
			// The other direction sees the same bytes with the mask on the wrong side, if it has frames at all.
			log, stats := got.server.log, got.ends[0].Server
			if c.from == FromClient {
				log, stats = got.client.log, got.ends[0].Client
			}
			if diff := cmp.Diff(c.want, log); diff != "" {
				t.Errorf("%s: calls differ (-want +got):\n%s", c.name, diff)
			}
			if stats.Unfinished != c.unfinished || stats.Bytes != int64(len(c.stream)) {
				t.Errorf("%s: stats = %+v; want %d bytes, unfinished %t", c.name, stats, len(c.stream), c.unfinished)
			}
		}
	}
}

// order notes what happens when.
type order struct{ log []string }

func (o *order) Message(m *Message)  { o.log = append(o.log, "saw "+string(m.Data)) }
func (*order) CloseFrame(CloseFrame) {}
func (*order) Lost(Lost)             {}
func (o *order) note(what string)    { o.log = append(o.log, what) }
func (o *order) Write(p []byte) (int, error) {
	o.note("passed on " + string(p[2:])) // without the header
	return len(p), nil
}

func TestTunnelPassesOnFirst(t *testing.T) {
	o := &order{}
	tunnel := NewTunnel(newScript(step{data: str(text("1"))}, step{data: str(text("2"))}), Sinks{Server: o}, Options{})
	// The wrappers hide other methods, so that the loop is Read and Write as in a proxy.
	if _, err := io.Copy(struct{ io.Writer }{o}, struct{ io.Reader }{tunnel}); err != nil {
		t.Fatalf("Copy() = %v", err)
	}
	if diff := cmp.Diff([]string{"passed on 1", "saw 1", "passed on 2", "saw 2"}, o.log); diff != "" {
		t.Errorf("order of reading differs (-want +got):\n%s", diff)
	}

	o = &order{}
	conn := struct {
		io.Reader
		io.Writer
		io.Closer
	}{nil, o, nil}
	tunnel = NewTunnel(conn, Sinks{Client: o}, Options{})
	unmaskedKey := "\x00\x00\x00\x00"
	for _, s := range []string{"1", "2"} {
		if _, err := tunnel.Write(frames(fr{op: opText, key: unmaskedKey, payload: s})); err != nil {
			t.Fatalf("Write() = %v", err)
		}
	}
	want := []string{"passed on " + unmaskedKey + "1", "saw 1", "passed on " + unmaskedKey + "2", "saw 2"}
	if diff := cmp.Diff(want, o.log); diff != "" {
		t.Errorf("order of writing differs (-want +got):\n%s", diff)
	}
}

func TestTunnelStampsMessages(t *testing.T) {
	one := str(text("1"))
	conn := newScript(step{data: one + one[:1]}, step{data: one[1:2]}, step{data: one[2:] + one})
	var got audience
	tunnel := NewTunnel(conn, got.sinks(), Options{Now: conn.now})
	readAll(tunnel)
	at := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	want := []Message{{Start: at(1), At: at(1)}, {Start: at(1), At: at(3)}, {Start: at(3), At: at(3)}}
	if diff := cmp.Diff(want, got.server.times); diff != "" {
		t.Errorf("times from the server differ (-want +got):\n%s", diff)
	}
	// What the client sends has the time before it was passed on.
	up := frames(masked(text("1")))
	conn = newScript()
	tunnel = NewTunnel(slowWriter{conn}, got.sinks(), Options{Now: conn.now})
	tunnel.Write(up[:4])
	tunnel.Write(up[4:])
	if diff := cmp.Diff([]Message{{Start: at(1), At: at(3)}}, got.client.times); diff != "" {
		t.Errorf("times from the client differ (-want +got):\n%s", diff)
	}
}

// slowWriter takes a second for a Write.
type slowWriter struct{ *script }

func (s slowWriter) Write(p []byte) (int, error) {
	s.now()
	return s.script.Write(p)
}

func TestTunnelReadErrorIsPassedOn(t *testing.T) {
	reset := errors.New("connection reset")
	for _, steps := range [][]step{{{"some", reset}}, {{"some", nil}, {"", reset}}} {
		tunnel := NewTunnel(newScript(steps...), Sinks{}, Options{})
		got, err := readAll(tunnel)
		if string(got) != "some" || !same(err, reset) {
			t.Errorf("read %q, %v; want all of it, %v", got, err, reset)
		}
		if _, err := tunnel.Read(make([]byte, 1)); !same(err, io.EOF) {
			t.Errorf("Read() after the error = _, %v; want the connection's EOF", err)
		}
	}
	// An error that waits for the next Read is there also after Close.
	tunnel := NewTunnel(newScript(step{"some", reset}), Sinks{}, Options{})
	tunnel.Read(make([]byte, 8))
	tunnel.Close()
	if n, err := tunnel.Read(make([]byte, 8)); n != 0 || !same(err, reset) {
		t.Errorf("Read() after Close = %d, %v; want 0, %v", n, err, reset)
	}
}

func TestTunnelWriteErrorIsPassedOn(t *testing.T) {
	reset := errors.New("connection reset")
	conn, got := newScript(), audience{}
	conn.most, conn.writeErr = 7, reset
	tunnel := NewTunnel(conn, got.sinks(), Options{})
	// What was taken was sent, so it is seen; what was not, is not.
	if n, err := tunnel.Write(frames(masked(text("1")), masked(text("2")))); n != 7 || !same(err, reset) {
		t.Errorf("Write() = %d, %v; want 7, %v", n, err, reset)
	}
	tunnel.Close()
	if diff := cmp.Diff([]seen{whole("1")}, got.client.log); diff != "" {
		t.Errorf("calls differ (-want +got):\n%s", diff)
	}
	if stats := got.ends[0].Client; stats.Bytes != 7 || stats.Unfinished {
		t.Errorf("stats = %+v; want 7 bytes", stats)
	}
}

func TestTunnelCloseWrite(t *testing.T) {
	conn := &halfCloser{script: newScript()}
	conn.closeErr = errors.New("no")
	if err := NewTunnel(conn, Sinks{}, Options{}).CloseWrite(); !same(err, conn.closeErr) || conn.closed != 1 {
		t.Errorf("CloseWrite() = %v, %d calls; want %v, 1", err, conn.closed, conn.closeErr)
	}
	if err := NewTunnel(newScript(), Sinks{}, Options{}).CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite() of a connection without it = %v; want unsupported", err)
	}
}

func TestTunnelClosesOnce(t *testing.T) {
	conn, got := newScript(step{data: str(text("1"))}, step{data: str(text("2"))}), audience{}
	conn.closeErr = errors.New("no")
	tunnel := NewTunnel(conn, got.sinks(), Options{})
	for range 2 {
		if err := tunnel.Close(); !same(err, conn.closeErr) {
			t.Errorf("Close() = %v; want %v", err, conn.closeErr)
		}
	}
	if conn.closes != 1 || len(got.ends) != 1 {
		t.Errorf("connection closed %d times, %d ends; want 1 and 1", conn.closes, len(got.ends))
	}
	// Reads and Writes after that are the connection's affair and nobody else's.
	if read, err := readAll(tunnel); len(read) != 6 || !same(err, io.EOF) {
		t.Errorf("read %q, %v after Close; want 6 bytes, EOF", read, err)
	}
	if n, err := tunnel.Write(frames(masked(text("3")))); n != 7 || err != nil || conn.written.Len() != 7 {
		t.Errorf("Write() = %d, %v after Close; want 7, nil", n, err)
	}
	if len(got.server.log)+len(got.client.log) != 0 {
		t.Errorf("messages after End: %v, %v", got.server.log, got.client.log)
	}
}

func TestTunnelReadOfNothing(t *testing.T) {
	tunnel := NewTunnel(newScript(step{}, step{data: "x"}), Sinks{}, Options{})
	for i, want := range []int{0, 1} {
		if n, err := tunnel.Read(make([]byte, 8)); n != want || err != nil {
			t.Errorf("Read() %d = %d, %v; want %d, nil", i, n, err, want)
		}
	}
}

func TestTunnelLost(t *testing.T) {
	conn, got := newScript(step{data: "HTTP/1.1 200 OK\r\n\r\n"}), audience{}
	tunnel := NewTunnel(conn, got.sinks(), Options{})
	readAll(tunnel)
	tunnel.Write(frames(masked(text("1"))))
	tunnel.Close()
	if want := []seen{lost(LostReservedBits)}; !slices.Equal(got.server.log, want) {
		t.Errorf("server calls = %v; want %v", got.server.log, want)
	}
	if end := got.ends[0]; end.Server.Lost != LostReservedBits || end.Client.Lost != NotLost || end.Client.Messages != 1 {
		t.Errorf("End = %+v; want the server's direction lost, not the client's", end)
	}
}
