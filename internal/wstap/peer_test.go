package wstap

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// exchange is what two real peers said to each other.
type exchange struct {
	sent, echoed []seen // without sizes on the wire, which the peers do not know
	compressed   bool   // whether compression was on
}

// converse lets a real client talk to a real server that echoes, with fragments and pings, until the client closes.
func converse(t *testing.T, dial func(*http.Server) string, mode websocket.CompressionMode) exchange {
	t.Helper()
	ctx := t.Context()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: mode, CompressionThreshold: 1})
		if err != nil {
			t.Errorf("Accept() = %v", err)
			return
		}
		defer conn.CloseNow()
		conn.SetReadLimit(-1)
		for i := 0; ; i++ {
			kind, b, err := conn.Read(ctx)
			if err != nil {
				return
			}
			if err := send(ctx, conn, kind, b, i); err != nil {
				t.Errorf("echo: %v", err)
				return
			}
		}
	})}
	conn, resp, err := websocket.Dial(ctx, dial(server), &websocket.DialOptions{CompressionMode: mode, CompressionThreshold: 1})
	if err != nil {
		t.Fatalf("Dial() = %v", err)
	}
	defer conn.CloseNow()
	conn.SetReadLimit(-1)
	var x exchange
	x.compressed = resp.Header.Get("Sec-WebSocket-Extensions") != ""
	for i, s := range conversation() {
		kind := websocket.MessageText
		if i%5 == 4 {
			kind = websocket.MessageBinary
		}
		if err := send(ctx, conn, kind, []byte(s), i); err != nil {
			t.Fatalf("send message %d: %v", i, err)
		}
		gotKind, got, err := conn.Read(ctx)
		if err != nil || gotKind != kind || string(got) != s {
			t.Fatalf("message %d came back as %v of %d bytes, %v; want it as it was", i, gotKind, len(got), err)
		}
		m := seen{Kind: map[bool]string{true: "text", false: "binary"}[kind == websocket.MessageText], Data: s, Size: int64(len(s))}
		x.sent, x.echoed = append(x.sent, m), append(x.echoed, m)
	}
	if err := conn.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Fatalf("Close() = %v", err)
	}
	x.sent, x.echoed = append(x.sent, closed(1000, "bye")), append(x.echoed, closed(1000, "bye"))
	return x
}

// conversation is messages of many sizes, which repeat themselves and each other.
func conversation() []string {
	rng := rand.New(rand.NewPCG(7, 7))
	past := strings.Join(deltas(600), "\n")
	all := []string{"", "a", "", noise(9, 70_000), past}
	for i := range 60 {
		n := rng.IntN(1 << (1 + rng.IntN(16)))
		at := rng.IntN(min(len(past)-1, 1000*(i+1)))
		all = append(all, past[at:min(at+n, len(past))])
	}
	return all
}

// send sends a message, now and then in fragments.
func send(ctx context.Context, conn *websocket.Conn, kind websocket.MessageType, b []byte, i int) error {
	if i%3 != 0 {
		return conn.Write(ctx, kind, b)
	}
	w, err := conn.Writer(ctx, kind)
	if err != nil {
		return err
	}
	for len(b) > 0 {
		n := min(len(b), 1+len(b)/3)
		if _, err := w.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return w.Close()
}

// check compares what a Sink saw with what the peers said.
func (x *exchange) check(t *testing.T, got, want []seen, stats Stats) {
	t.Helper()
	var compressed, expected int64
	for i := range got {
		if got[i].Compressed {
			compressed++
		}
		if want[min(i, len(want)-1)].Size > 0 {
			expected++
		}
		got[i].Compressed, got[i].WireSize = false, 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls differ (-want +got):\n%.3000s", diff)
	}
	if !x.compressed {
		expected = 0
	}
	if compressed < expected || stats.Compressed != compressed {
		t.Errorf("%d messages came compressed, %d counted; want at least %d", compressed, stats.Compressed, expected)
	}
	if stats.Lost != NotLost || stats.Undecoded != 0 || stats.Truncated != 0 || stats.Unfinished {
		t.Errorf("stats = %+v; want nothing lost", stats)
	}
}

func modes() map[string]websocket.CompressionMode {
	return map[string]websocket.CompressionMode{
		"no compression": websocket.CompressionDisabled,
		"takeover":       websocket.CompressionContextTakeover,
		"no takeover":    websocket.CompressionNoContextTakeover,
	}
}

// listen serves on a port of its own.
func listen(t *testing.T, server *http.Server) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

// TestReaderBetweenPeers has a relay that knows nothing of HTTP or WebSocket between real peers. It passes the bytes on
// and feeds a Reader of each direction in chunks of random sizes.
func TestReaderBetweenPeers(t *testing.T) {
	for name, mode := range modes() {
		t.Run(name, func(t *testing.T) {
			var up, down bytes.Buffer
			var relayed sync.WaitGroup
			x := converse(t, func(server *http.Server) string {
				addr := listen(t, server)
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				relayed.Go(func() {
					defer l.Close()
					client, err := l.Accept()
					if err != nil {
						t.Errorf("Accept() = %v", err)
						return
					}
					defer client.Close()
					upstream, err := net.Dial("tcp", addr)
					if err != nil {
						t.Errorf("Dial() = %v", err)
						return
					}
					defer upstream.Close()
					var both sync.WaitGroup
					both.Go(func() {
						io.Copy(io.MultiWriter(&up, upstream), client)
						upstream.(*net.TCPConn).CloseWrite()
					})
					both.Go(func() {
						io.Copy(io.MultiWriter(&down, client), upstream)
						client.(*net.TCPConn).CloseWrite()
					})
					both.Wait()
				})
				return "ws://" + l.Addr().String()
			}, mode)
			relayed.Wait()
			upReader, downReader := bufio.NewReader(&up), bufio.NewReader(&down)
			req, err := http.ReadRequest(upReader)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(downReader, req)
			if err != nil {
				t.Fatal(err)
			}
			deflate, err := ParseExtensions(resp.Header.Values("Sec-Websocket-Extensions"))
			if err != nil || deflate.Enabled != x.compressed {
				t.Fatalf("ParseExtensions() = %+v, %v; want compression %t", deflate, err, x.compressed)
			}
			upBytes, _ := io.ReadAll(upReader)
			downBytes, _ := io.ReadAll(downReader)
			for _, seed := range []uint64{0, 3, 7} {
				opts := Options{Deflate: deflate}
				got, stats := read(FromClient, opts, cutRandomly(seed, upBytes)...)
				x.check(t, got, x.sent, stats)
				got, stats = read(FromServer, opts, cutRandomly(seed, downBytes)...)
				x.check(t, got, x.echoed, stats)
			}
		})
	}
}

// cutRandomly returns stream in chunks of random sizes, small ones or large ones by the seed.
func cutRandomly(seed uint64, stream []byte) [][]byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	var chunks [][]byte
	for len(stream) > 0 {
		n := min(len(stream), 1+rng.IntN(1<<(2*seed+1)))
		chunks = append(chunks, stream[:n])
		stream = stream[n:]
	}
	return chunks
}

func TestTunnelInReverseProxy(t *testing.T) {
	for name, mode := range modes() {
		t.Run(name, func(t *testing.T) {
			var got audience
			ended := make(chan struct{})
			x := converse(t, func(server *http.Server) string {
				proxy := httptest.NewServer(tapping(t, listen(t, server), func(conn io.ReadWriteCloser, opts Options) io.ReadWriteCloser {
					sinks := got.sinks()
					sinks.End = func(end End) { got.ends = append(got.ends, end); close(ended) }
					return NewTunnel(conn, sinks, opts)
				}))
				t.Cleanup(proxy.Close)
				return "ws" + strings.TrimPrefix(proxy.URL, "http")
			}, mode)
			<-ended
			end := got.ends[0]
			x.check(t, got.client.log, x.sent, end.Client)
			x.check(t, got.server.log, x.echoed, end.Server)
			if end.By != EndedByClient || end.Panics != 0 {
				t.Errorf("End = %+v; want by the client", end)
			}
			for i, m := range got.server.times {
				if asked := got.client.times[i]; m.At.Before(asked.At) || m.Start.After(m.At) || asked.Start.After(asked.At) {
					t.Errorf("message %d was echoed at %v to %v, sent at %v to %v", i, m.Start, m.At, asked.Start, asked.At)
				}
			}
		})
	}
}
