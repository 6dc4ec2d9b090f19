package wstap

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTunnelContainsPanics(t *testing.T) {
	down := frames(text("1"), text("2"), text("3"), closing(1000, ""))
	up := frames(masked(text("1")), masked(text("2")), masked(closing(1000, "")))
	for _, c := range []struct {
		name     string
		down     []byte
		client   string // what the Sink of that side panics on
		server   string
		end      bool
		wantUp   []seen
		wantDown []seen
		panics   int64 // that End knows of
		told     int
	}{
		{"none", down, "", "", false, []seen{whole("1"), whole("2"), closed(1000, "")}, []seen{whole("1"), whole("2"), whole("3"), closed(1000, "")}, 0, 0},
		{"server's messages", down, "", "2", false, []seen{whole("1"), whole("2"), closed(1000, "")}, []seen{whole("1"), whole("2")}, 1, 1},
		{"client's messages", down, "1", "", false, []seen{whole("1")}, []seen{whole("1"), whole("2"), whole("3"), closed(1000, "")}, 1, 1},
		{"both close frames", down, "close", "close", false, []seen{whole("1"), whole("2"), closed(1000, "")}, []seen{whole("1"), whole("2"), whole("3"), closed(1000, "")}, 2, 2},
		{"loss", frames(packed("")), "", "lost", false, []seen{whole("1"), whole("2"), closed(1000, "")}, []seen{lost(LostReservedBits)}, 1, 1},
		{"all of them", down, "1", "1", true, []seen{whole("1")}, []seen{whole("1")}, 2, 3},
	} {
		var told []string
		var mu sync.Mutex
		onPanic := func(v any) {
			mu.Lock()
			told = append(told, fmt.Sprint(v))
			mu.Unlock()
			panic("reporter broke, too")
		}
		got := audience{client: recorder{panicOn: c.client}, server: recorder{panicOn: c.server}, panicOnEnd: c.end}
		conn := newScript(step{data: string(c.down)})
		tunnel := NewTunnel(conn, got.sinks(), Options{OnPanic: onPanic})
		if read, _ := readAll(tunnel); !bytes.Equal(read, c.down) {
			t.Errorf("%s: read %q; want all of it", c.name, read)
		}
		if n, err := tunnel.Write(up); n != len(up) || err != nil || !bytes.Equal(conn.written.Bytes(), up) {
			t.Errorf("%s: Write() = %d, %v; want %d, nil", c.name, n, err, len(up))
		}
		tunnel.Close()
		if diff := cmp.Diff(c.wantUp, got.client.log); diff != "" {
			t.Errorf("%s: client calls differ (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.wantDown, got.server.log); diff != "" {
			t.Errorf("%s: server calls differ (-want +got):\n%s", c.name, diff)
		}
		if len(got.ends) != 1 || got.ends[0].Panics != c.panics || len(told) != c.told {
			t.Errorf("%s: ends = %+v, told %q; want one with %d panics, %d told", c.name, got.ends, told, c.panics, c.told)
		}
		// The Readers went on, so the sums are right, and so is who closed.
		if end := got.ends[0]; end.Client.Messages != 2 || end.Client.Close.Code != 1000 {
			t.Errorf("%s: End.Client = %+v; want 2 messages and the close frame", c.name, end.Client)
		}
	}
}

// TestTunnelContainsItsOwnPanics breaks a Reader. The Sink learns that the direction is lost.
func TestTunnelContainsItsOwnPanics(t *testing.T) {
	var told int
	conn, got := newScript(step{data: str(packed("\x00"), text("1"))}), audience{}
	opts := deflated
	opts.OnPanic = func(any) { told++ }
	tunnel := NewTunnel(conn, got.sinks(), opts)
	tunnel.server.reader.packing.inflater = &inflater{} // without flate
	if read, _ := readAll(tunnel); len(read) != 6 {
		t.Errorf("read %q; want 6 bytes", read)
	}
	tunnel.Close()
	if diff := cmp.Diff([]seen{lost(LostPanic)}, got.server.log); diff != "" {
		t.Errorf("calls differ (-want +got):\n%s", diff)
	}
	if end := got.ends[0]; end.Panics != 1 || told != 1 || end.Server.Lost != LostPanic || end.Server.Unfinished {
		t.Errorf("End = %+v, told %d; want one panic, and the direction lost", end, told)
	}
}
