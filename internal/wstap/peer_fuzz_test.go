package wstap

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// fed is a connection that reads from a stream and swallows what is written.
type fed struct {
	net.Conn
	io.Reader
}

func (f fed) Read(p []byte) (int, error)     { return f.Reader.Read(p) }
func (fed) Write(p []byte) (int, error)      { return len(p), nil }
func (fed) Close() error                     { return nil }
func (fed) SetDeadline(time.Time) error      { return nil }
func (fed) SetReadDeadline(time.Time) error  { return nil }
func (fed) SetWriteDeadline(time.Time) error { return nil }

// hijacked is the response to an upgrade, whose connection reads from a stream.
type hijacked struct {
	http.ResponseWriter
	conn fed
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// answering is a RoundTripper that agrees to an upgrade with the extensions given.
type answering struct {
	conn       fed
	extensions string
}

func (a answering) RoundTrip(req *http.Request) (*http.Response, error) {
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	header := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Accept": {base64.StdEncoding.EncodeToString(sum[:])}}
	if a.extensions != "" {
		header.Set("Sec-Websocket-Extensions", a.extensions)
	}
	return &http.Response{StatusCode: http.StatusSwitchingProtocols, Header: header, Body: a.conn, Request: req}, nil
}

// peer returns a real peer that receives stream: the server what the client sends, and the other way round. Extensions
// are what was agreed on.
func peer(ctx context.Context, from Direction, mode websocket.CompressionMode, stream []byte) (conn *websocket.Conn, extensions string, err error) {
	end := fed{Reader: bytes.NewReader(stream)}
	offer := map[websocket.CompressionMode]string{
		websocket.CompressionContextTakeover:   "permessage-deflate",
		websocket.CompressionNoContextTakeover: "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
	}[mode]
	if from == FromServer {
		client := &http.Client{Transport: answering{end, offer}}
		conn, _, err = websocket.Dial(ctx, "ws://peer", &websocket.DialOptions{HTTPClient: client, CompressionMode: mode})
		return conn, offer, err
	}
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
	for k, v := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Extensions": offer,
	} {
		r.Header.Set(k, v)
	}
	conn, err = websocket.Accept(hijacked{w, end}, r, &websocket.AcceptOptions{CompressionMode: mode})
	return conn, w.Header().Get("Sec-Websocket-Extensions"), err
}

// receive reads a message. A close frame within a compressed message makes the peer panic, which is its end, too.
func receive(ctx context.Context, conn *websocket.Conn) (kind websocket.MessageType, b []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("peer broke: %v", v)
		}
	}()
	return conn.Read(ctx)
}

// FuzzReaderDifferential compares with a real peer that receives the same bytes. What it got must be the beginning of
// what the Reader saw; it gives up earlier, as it has to answer for the connection. Where it is more lenient than
// RFC 6455 and RFC 7692, the comparison ends:
//   - a message that the end of the connection cuts off is complete to it;
//   - a message that ends within a block, or breaks off, is complete to it;
//   - a compressed message ends with its first last block, even before its last frame;
//   - a server may mask.
func FuzzReaderDifferential(f *testing.F) {
	addStreams(f)
	f.Fuzz(func(t *testing.T, stream, sizes []byte, mode, _ byte) {
		from, compression := Direction(mode&1), []websocket.CompressionMode{
			websocket.CompressionDisabled, websocket.CompressionContextTakeover, websocket.CompressionNoContextTakeover,
		}[int(mode>>1)%3]
		ctx := t.Context()
		conn, extensions, err := peer(ctx, from, compression, stream)
		if err != nil {
			t.Fatalf("handshake: %v", err)
		}
		defer conn.CloseNow()
		conn.SetReadLimit(1 << 18)
		deflate, err := ParseExtensions([]string{extensions})
		if err != nil {
			t.Fatalf("ParseExtensions(%q) = %v", extensions, err)
		}
		got, stats := read(from, Options{Deflate: deflate, MaxInflatedBytes: 1 << 18}, cutBy(stream, sizes)...)
		for i := 0; ; i++ {
			kind, b, err := receive(ctx, conn)
			if from == FromServer && stats.Lost == LostMask && i == len(got)-1 {
				return
			}
			if err != nil {
				gave, ok := errors.AsType[websocket.CloseError](err)
				if ok && i < len(got) && got[i].Kind != "close" {
					t.Errorf("the peer got a close frame with %d after %d messages; the Reader has %+v", gave.Code, i, got)
				}
				if ok && (stats.Close.Code != int(gave.Code) || stats.Close.Reason != gave.Reason) {
					t.Errorf("close frame = %+v; the peer got %v", stats.Close, gave)
				}
				return
			}
			if i == len(got) && stats.Unfinished {
				return
			}
			if i >= len(got) {
				t.Fatalf("the peer got message %d, %q; the Reader has only %+v, %+v", i, b, got, stats)
			}
			m := got[i]
			switch {
			case m.Cut != Whole, deflate.Enabled && (m.Kind == "lost" || m.Kind == "close"):
				return
			case m.Compressed && len(b) < len(m.Data) && strings.HasPrefix(m.Data, string(b)):
				return
			}
			if want := map[websocket.MessageType]string{websocket.MessageText: "text", websocket.MessageBinary: "binary"}[kind]; m.Kind != want || m.Data != string(b) {
				t.Fatalf("message %d = %+v; the peer got %v %q", i, m, kind, b)
			}
		}
	})
}
