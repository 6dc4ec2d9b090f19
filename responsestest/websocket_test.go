package responsestest_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	rt "github.com/codex-proxy/codex-proxy/responsestest"
)

func startSocket(t *testing.T, mode rt.WebSocket) *rt.Server {
	t.Helper()
	srv, err := rt.Start(rt.Options{TB: t, WebSocket: mode})
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

func dialSocket(t *testing.T, srv *rt.Server, mode websocket.CompressionMode) (*websocket.Conn, *http.Response) {
	t.Helper()
	conn, resp, err := websocket.Dial(t.Context(), srv.BaseURL()+"/responses", &websocket.DialOptions{CompressionMode: mode})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return conn, resp
}

// askSocket sends a message and returns the next n messages, or fewer and the error.
func askSocket(t *testing.T, conn *websocket.Conn, message string, n int) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range n {
		_, answer, err := conn.Read(ctx)
		if err != nil {
			return got, err
		}
		got = append(got, string(answer))
	}
	return got, nil
}

func TestWebSocketCallsAreLikePosts(t *testing.T) {
	for name, modes := range map[string]struct {
		server rt.WebSocket
		client websocket.CompressionMode
		want   string
	}{
		"plain":   {rt.WebSocketPlain, websocket.CompressionContextTakeover, ""},
		"deflate": {rt.WebSocketDeflate, websocket.CompressionContextTakeover, "permessage-deflate"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := startSocket(t, modes.server)
			first := []rt.Event{rt.Created("r1"), rt.Comment("kept alive"), rt.TextDelta("hi"), rt.Completed("r1")}
			srv.Sequence(rt.Stream(first...), rt.Error(http.StatusTooManyRequests, "rate_limit", "slow_down", "no"))
			conn, resp := dialSocket(t, srv, modes.client)
			if got := resp.Header.Get("Sec-WebSocket-Extensions"); got != modes.want {
				t.Errorf("extensions = %q; want %q", got, modes.want)
			}
			if got, err := askSocket(t, conn, `{"type":"response.create","generate":false}`, 2); err != nil || len(got) != 2 {
				t.Errorf("warm-up answered with %q, %v; want two messages", got, err)
			}
			got, err := askSocket(t, conn, `{"type":"response.create","model":"m"}`, 3)
			if diff := cmp.Diff([]string{first[0].Data, first[2].Data, first[3].Data}, got); diff != "" || err != nil {
				t.Errorf("messages (-want +got):\n%s%v", diff, err)
			}
			got, err = askSocket(t, conn, `{"type":"response.create","model":"n"}`, 1)
			if err != nil || !strings.Contains(got[0], `"type":"error","status":429`) || !strings.Contains(got[0], "slow_down") {
				t.Errorf("error message = %q, %v; want the status and the error", got, err)
			}
			calls := srv.Requests()
			if len(calls) != 2 || calls[1].JSON("model").String() != "n" || calls[0].Proto != "websocket" {
				t.Errorf("calls = %v; want the two that were no warm-up", calls)
			}
			if n := len(srv.Upgrades()); n != 1 {
				t.Errorf("%d upgrades; want 1", n)
			}
		})
	}
}

func TestWebSocketAborts(t *testing.T) {
	srv := startSocket(t, rt.WebSocketPlain)
	srv.Once(rt.Response{Events: []rt.Event{rt.Created("r1")}, Abort: rt.AbortStream})
	conn, _ := dialSocket(t, srv, websocket.CompressionDisabled)
	got, err := askSocket(t, conn, `{"type":"response.create"}`, 2)
	if len(got) != 1 || err == nil || websocket.CloseStatus(err) != -1 {
		t.Errorf("got %d messages, then %v; want one, then a broken connection", len(got), err)
	}
	call := srv.Requests()[0]
	<-call.Done()
	if !errors.Is(call.Err(), rt.ErrAborted) {
		t.Errorf("Err() = %v; want ErrAborted", call.Err())
	}
}

func TestWebSocketIsClosedWithTheServer(t *testing.T) {
	srv, err := rt.Start(rt.Options{WebSocket: rt.WebSocketPlain})
	if err != nil {
		t.Fatal(err)
	}
	conn, _ := dialSocket(t, srv, websocket.CompressionDisabled)
	srv.Close()
	if _, _, err := conn.Read(t.Context()); err == nil {
		t.Error("Read() after Close = nil; want the connection gone")
	}
	upgrade := srv.Upgrades()[0]
	<-upgrade.Done()
	if !errors.Is(upgrade.Err(), rt.ErrServerClosed) {
		t.Errorf("Err() = %v; want ErrServerClosed", upgrade.Err())
	}
}
