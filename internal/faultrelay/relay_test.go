package faultrelay

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// pair is a relay with both its ends.
type pair struct {
	relay          *Relay
	client, server net.Conn
}

func newPair(t *testing.T, plan Plan) *pair {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	relay, err := Start(t.Context(), listener.Addr().String(), plan)
	if err != nil {
		t.Fatal(err)
	}
	client, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", relay.Addr)
	if err != nil {
		t.Fatal(err)
	}
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{relay, client, server}
	for _, conn := range []net.Conn{client, server} {
		if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		client.Close()
		server.Close()
		relay.Close()
	})
	return p
}

func (p *pair) send(t *testing.T, to net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(to, text); err != nil {
		t.Fatal(err)
	}
}

func (p *pair) want(t *testing.T, from net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(from, got); err != nil || string(got) != text {
		t.Fatalf("read %q, %v; want %q", got, err, text)
	}
}

func TestRelayPasses(t *testing.T) {
	p := newPair(t, Plan{ToServer: Fault{Slice: 1}, ToClient: Fault{Delay: time.Millisecond}})
	p.send(t, p.client, "question")
	p.want(t, p.server, "question")
	p.send(t, p.server, "answer")
	p.want(t, p.client, "answer")
	p.server.Close()
	if _, err := p.client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("Read() = %v; want io.EOF", err)
	}
}

// TestRelayActsExactly wants nothing from behind the mark.
func TestRelayActsExactly(t *testing.T) {
	p := newPair(t, Plan{ToClient: Fault{Mark: "mark", Exact: true, Action: Close}})
	p.send(t, p.server, "before m")
	p.want(t, p.client, "before m")
	p.send(t, p.server, "ark and behind it")
	if rest, err := io.ReadAll(p.client); string(rest) != "ark" || err != nil {
		t.Errorf("read %q, %v; want what is before the end of the mark", rest, err)
	}
}

// TestRelayHeals wants no fault after the network was healed.
func TestRelayHeals(t *testing.T) {
	p := newPair(t, Plan{ToClient: Fault{Mark: "mark", Action: Reset}})
	p.relay.Heal()
	p.send(t, p.server, "mark and more")
	p.want(t, p.client, "mark and more")
}

// TestRelaySlices wants one byte at a time to be there at most, as long as nobody waits for more.
func TestRelaySlices(t *testing.T) {
	p := newPair(t, Plan{ToClient: Fault{Slice: 1, Delay: 20 * time.Millisecond}})
	p.send(t, p.server, "ab")
	buffer := make([]byte, 2)
	if n, err := p.client.Read(buffer); n != 1 || err != nil {
		t.Errorf("Read() = %d, %v; want one byte", n, err)
	}
}

func TestRelayActs(t *testing.T) {
	for _, test := range []struct {
		action         Action
		client, server error // of reading on
	}{
		{Reset, syscall.ECONNRESET, syscall.ECONNRESET},
		{Close, io.EOF, io.EOF},
		{HalfClose, io.EOF, nil},
		{Stall, nil, nil},
	} {
		t.Run(test.action.String(), func(t *testing.T) {
			p := newPair(t, Plan{ToClient: Fault{Mark: "mark", Action: test.action}})
			p.send(t, p.server, "before ma")
			p.want(t, p.client, "before ma")
			p.send(t, p.server, "rk")
			p.want(t, p.client, "rk")
			<-p.relay.Acted()
			if test.action == Stall {
				p.send(t, p.server, "later")
				p.relay.Release()
				p.want(t, p.client, "later")
				return
			}
			if _, err := p.client.Read(make([]byte, 1)); !errors.Is(err, test.client) {
				t.Errorf("client: Read() = %v; want %v", err, test.client)
			}
			if test.server == nil {
				p.send(t, p.client, "still here")
				p.want(t, p.server, "still here")
				return
			}
			if _, err := p.server.Read(make([]byte, 1)); !errors.Is(err, test.server) {
				t.Errorf("server: Read() = %v; want %v", err, test.server)
			}
		})
	}
}
