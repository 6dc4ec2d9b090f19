package wstap

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestTunnelEndings(t *testing.T) {
	reset := errors.New("connection reset")
	bye, gone := closing(1000, "bye"), closing(1001, "gone")
	for _, c := range []struct {
		name  string
		steps []step
		do    string // what the owner does: r(ead), w(rite), c(lose frame written), h(alf close), e(rror at write)
		want  End    // without times and counts
	}{
		{"closed at once", nil, "", End{By: EndedByClosed}},
		{"closed in use", []step{{str(text("1")), nil}}, "rw", End{By: EndedByClosed}},
		{"client hangs up", nil, "wh", End{By: EndedByClosed, ClientEOF: true}},
		{"client hangs up, then the server", nil, "whr", End{By: EndedByClosed, ClientEOF: true, Err: io.EOF}},
		{"server hangs up", []step{{str(text("1")), nil}}, "rr", End{By: EndedByReadError, Err: io.EOF}},
		{"server hangs up, then the client", nil, "rh", End{By: EndedByReadError, Err: io.EOF}},
		{"server breaks off", []step{{"", reset}}, "r", End{By: EndedByReadError, Err: reset}},
		{"server breaks off with the last bytes", []step{{str(text("1")), reset}}, "r", End{By: EndedByReadError, Err: reset}},
		{"server breaks off within a message", []step{{str(text("1"))[:2], nil}, {"", reset}}, "rr", End{By: EndedByReadError, Err: reset}},
		{"server takes no more", nil, "e", End{By: EndedByWriteError, Err: reset}},
		{"server takes no more, then hangs up", nil, "er", End{By: EndedByWriteError, Err: reset}},
		{"server hangs up, then takes no more", nil, "re", End{By: EndedByReadError, Err: io.EOF}},
		{"client closes", nil, "c", End{By: EndedByClient}},
		{"client closes, server answers", []step{{str(bye), nil}}, "crr", End{By: EndedByClient, Err: io.EOF}},
		{"client closes, server breaks off", []step{{"", reset}}, "cr", End{By: EndedByClient, Err: reset}},
		{"client closes, but the frame is not taken", []step{{str(gone), nil}}, "ecr", End{By: EndedByServer, Err: reset}},
		{"server closes", []step{{str(gone), nil}}, "r", End{By: EndedByServer}},
		{"server closes, client answers", []step{{str(gone), nil}}, "rcr", End{By: EndedByServer, Err: io.EOF}},
		{"server closes with the last bytes", []step{{str(text("1"), gone), io.EOF}}, "rr", End{By: EndedByServer, Err: io.EOF}},
		{"server closes and hangs up, client hangs up", []step{{str(gone), nil}}, "rrh", End{By: EndedByServer, Err: io.EOF}},
		{"error that passes", []step{{"", reset}, {str(gone), nil}}, "rrw", End{By: EndedByServer, Err: reset}},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, got := newScript(c.steps...), audience{}
			tunnel := NewTunnel(conn, got.sinks(), Options{})
			buf := make([]byte, 64)
			for _, do := range c.do {
				switch do {
				case 'r':
					tunnel.Read(buf)
				case 'w':
					tunnel.Write(frames(masked(text("hello"))))
				case 'c':
					tunnel.Write(frames(masked(bye)))
				case 'h':
					tunnel.CloseWrite()
				case 'e':
					conn.most, conn.writeErr = 1, reset
					tunnel.Write(frames(masked(text("lost"))))
				}
			}
			tunnel.Close()
			if len(got.ends) != 1 {
				t.Fatalf("%d ends; want 1", len(got.ends))
			}
			if diff := cmp.Diff(c.want, got.ends[0], cmpopts.IgnoreFields(End{}, "At", "Client", "Server"), cmpopts.EquateErrors()); diff != "" {
				t.Errorf("End differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTunnelEndSumsUp(t *testing.T) {
	conn, got := newScript(step{data: str(text("1"), fr{op: opPing}, closing(1000, "bye"))}), audience{}
	tunnel := NewTunnel(conn, got.sinks(), Options{Now: conn.now})
	tunnel.Write(frames(masked(text("hello")), masked(fr{op: opPong})))
	tunnel.Read(make([]byte, 64))
	tunnel.Close()
	want := End{
		By:     EndedByServer,
		Client: Stats{Bytes: 17, Messages: 1, Pongs: 1},
		Server: Stats{Bytes: 12, Messages: 1, Pings: 1, Close: CloseFrame{Code: 1000, Reason: "bye", At: start.Add(2 * time.Second)}},
		At:     start.Add(3 * time.Second),
	}
	if diff := cmp.Diff([]End{want}, got.ends); diff != "" {
		t.Errorf("ends differ (-want +got):\n%s", diff)
	}
}

func TestTunnelWithoutSinks(t *testing.T) {
	var ends []End
	for _, sinks := range []Sinks{{}, {End: func(end End) { ends = append(ends, end) }}} {
		tunnel := NewTunnel(newScript(step{data: str(text("1"), closing(1000, ""))}), sinks, Options{})
		readAll(tunnel)
		tunnel.Write([]byte("no frames"))
		tunnel.Close()
	}
	if len(ends) != 1 || ends[0].Panics != 0 || ends[0].By != EndedByServer || ends[0].Server.Messages != 1 || ends[0].Client.Lost == NotLost {
		t.Errorf("ends = %+v; want one by the server, without panics", ends)
	}
}

// TestTunnelFirstCloseFrame has a client that answers the server's close frame before the proxy's loop comes back to
// Read, so that the answer is looked at first.
func TestTunnelFirstCloseFrame(t *testing.T) {
	var got audience
	tunnel := NewTunnel(newScript(step{data: str(closing(1001, ""))}), got.sinks(), Options{Now: func() time.Time { return start }})
	buf := make([]byte, 64)
	tunnel.Read(buf)
	tunnel.Write(frames(masked(closing(1000, ""))))
	if len(got.client.log) != 1 || len(got.server.log) != 0 {
		t.Fatalf("client %v, server %v; the test needs the answer to be seen first", got.client.log, got.server.log)
	}
	tunnel.Read(buf)
	tunnel.Close()
	if end := got.ends[0]; end.By != EndedByServer || end.Client.Close.Code != 1000 || end.Server.Close.Code != 1001 {
		t.Errorf("End = %+v; want by the server", end)
	}
}
