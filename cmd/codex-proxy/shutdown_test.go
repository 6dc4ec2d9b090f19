package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/codex-proxy/codex-proxy/internal/console"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// endings collects from the feed of a proxy how streams ended, until the feed does.
type endings struct {
	mu       sync.Mutex
	ended    []string
	followed <-chan struct{}
}

// followFeed follows the live feed until the proxy stops, and returns once it is connected.
func followFeed(ctx context.Context, cfg console.FollowConfig) (ended <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	followed, connected := make(chan struct{}), make(chan struct{})
	cfg.OnState = func(s console.State) {
		switch s.Connection {
		case console.Connected:
			close(connected)
		case console.Lost:
			cancel()
		case console.Connecting:
		}
	}
	go func() {
		defer close(followed)
		defer cancel()
		_ = console.Follow(ctx, cfg)
	}()
	<-connected
	return followed
}

// followEndings returns when the feed is connected.
func followEndings(t *testing.T, url string) *endings {
	t.Helper()
	e := &endings{}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	e.followed = followFeed(ctx, console.FollowConfig{
		URL: url, Events: []string{"sse_event"},
		OnEvent: func(event console.Event) {
			var attrs map[string]any
			if json.Unmarshal(event.Data, &attrs) == nil {
				if by, _ := attrs["stream.ended_by"].(string); by != "" {
					e.mu.Lock()
					e.ended = append(e.ended, by)
					e.mu.Unlock()
				}
			}
		},
	})
	return e
}

func (e *endings) wait() string {
	<-e.followed
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.ended, " ")
}

// openStream asks for a stream and returns when its first event came.
func openStream(t *testing.T, url string) io.Reader {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/responses", strings.NewReader(`{"model":"m","stream":true}`))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if _, err := io.ReadFull(res.Body, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return res.Body
}

func TestShutdownLetsStreamsFinish(t *testing.T) {
	model := responsestest.NewServer(t)
	gate := responsestest.NewGate()
	model.Once(responsestest.Stream(responsestest.Created("r1"), gate.Stop(), responsestest.Completed("r1")))
	p := startProxy(t, model.BaseURL(), "")
	feed := followEndings(t, p.url)
	body := openStream(t, p.url)

	code := make(chan int, 1)
	go func() { code <- p.stop() }()
	refused(t, p.url)
	gate.Open()
	if rest, err := io.ReadAll(body); err != nil || !strings.Contains(string(rest), "response.completed") {
		t.Errorf("the live stream got %q, %v; want its completion", rest, err)
	}
	if got := <-code; got != 0 {
		t.Errorf("exit code = %d; want 0", got)
	}
	if got := feed.wait(); got != "completed" {
		t.Errorf("the feed told the endings %q; want completed", got)
	}
}

func TestShutdownCutsStreamsAfterTheGrace(t *testing.T) {
	model := responsestest.NewServer(t)
	gate := responsestest.NewGate()
	model.Once(responsestest.Stream(responsestest.Created("r1"), gate.Stop()))
	defer gate.Open()
	p := startProxy(t, model.BaseURL(), "[server]\nshutdown_grace = \"50ms\"\n")
	feed := followEndings(t, p.url)
	body := openStream(t, p.url)
	if code := p.stop(); code != 0 {
		t.Errorf("exit code = %d; want 0", code)
	}
	if rest, err := io.ReadAll(body); err == nil {
		t.Errorf("the stream ended cleanly with %q; want it cut", rest)
	}
	if got := feed.wait(); got != "proxy" {
		t.Errorf("the feed told the endings %q; want proxy, which cut the stream", got)
	}
}

// TestShutdownClosesUnusedConnections has a client that opened a connection ahead. It is closed at once, whatever else is
// still going on; net/http itself would wait for five seconds.
func TestShutdownClosesUnusedConnections(t *testing.T) {
	model := responsestest.NewServer(t)
	gate := responsestest.NewGate()
	model.Once(responsestest.Stream(responsestest.Created("r1"), gate.Stop(), responsestest.Completed("r1")))
	p := startProxy(t, model.BaseURL(), "")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := openStream(t, p.url) // the server has accepted the first connection then
	code := make(chan int, 1)
	go func() { code <- p.stop() }()
	if err := conn.SetReadDeadline(time.Now().Add(3 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("Read() = %v; want the connection closed", err)
	}
	gate.Open()
	if rest, err := io.ReadAll(body); err != nil || !strings.Contains(string(rest), "response.completed") {
		t.Errorf("the live stream got %q, %v; want its completion", rest, err)
	}
	if got := <-code; got != 0 {
		t.Errorf("exit code = %d; want 0", got)
	}
}

// refused waits until the proxy takes no new connection.
func refused(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if ctx.Err() != nil {
			t.Fatal("the proxy still takes connections; want it to refuse them")
		}
		if err != nil {
			return
		}
		res.Body.Close()
	}
}

// TestShutdownLetsTunnelsLive has a WebSocket that goes on in the grace period.
func TestShutdownLetsTunnelsLive(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		for {
			kind, message, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			if err := conn.Write(r.Context(), kind, message); err != nil {
				return
			}
		}
	}))
	defer upstream.Close()
	p := startProxy(t, upstream.URL+"/v1", "")
	conn, _, err := websocket.Dial(t.Context(), p.url+"/v1/responses", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	code := make(chan int, 1)
	go func() { code <- p.stop() }()
	refused(t, p.url)
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("still there?")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := conn.Read(t.Context()); err != nil || string(got) != "still there?" {
		t.Errorf("the tunnel answered %q, %v; want the echo", got, err)
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	if got := <-code; got != 0 {
		t.Errorf("exit code = %d; want 0", got)
	}
}
