package console

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	gosse "github.com/tmaxmax/go-sse"
	"go.uber.org/goleak"

	"github.com/codex-proxy/codex-proxy/events"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is when every recorded event happened, but for its number in ms.
var start = time.Date(2026, 3, 4, 12, 3, 7, 412e6, time.UTC)

// testScope returns the scope of a conversation.
func testScope(conversation string) *events.Scope {
	return &events.Scope{
		ConversationID: conversation,
		Resource:       &events.Resource{ServiceName: "codex-cli"},
	}
}

// numbered returns the nth record, which says so in its id.
func numbered(n int, event events.Event, conversation string) events.Record {
	return events.Record{
		Event: event,
		Scope: testScope(conversation),
		Time:  start.Add(time.Duration(n) * time.Millisecond),
		ID:    fmt.Sprintf("n%d", n),
	}
}

func delta() events.Event {
	return &events.SSEEvent{Kind: events.Some("response.output_text.delta"), DurationMS: events.Some[int64](7)}
}

// served is a running hub behind a real server.
type served struct {
	*Hub
	url    string
	client *http.Client
	stop   func() // ends Run and waits for it
	left   chan struct{}
}

// serve runs a hub until the test ends. left receives a value whenever the
// handler of a reader returned.
func serve(tb testing.TB, cfg HubConfig) *served {
	tb.Helper()
	hub := NewHub(cfg)
	left := make(chan struct{}, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hub.ServeHTTP(w, r)
		left <- struct{}{}
	}))
	stop := runHub(tb, hub)
	client := &http.Client{Transport: &http.Transport{}}
	tb.Cleanup(func() {
		stop()
		client.CloseIdleConnections()
		server.Close()
	})
	return &served{Hub: hub, url: server.URL + LivePath, client: client, stop: stop, left: left}
}

// runHub runs a hub; the function it returns ends that.
func runHub(tb testing.TB, hub *Hub) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := hub.Run(ctx); err != nil {
			tb.Errorf("Run() = %v; want nil", err)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// testReader reads a feed with a library that is not the server's.
type testReader struct {
	tb    testing.TB
	resp  *http.Response
	next  func() (gosse.Event, error, bool)
	close func()
}

// join opens the feed; lastID may be empty.
func (s *served) join(tb testing.TB, query, lastID string) *testReader {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+query, http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		tb.Fatalf("GET %s = %s; want 200", query, resp.Status)
	}
	next, stop := iter.Pull2(gosse.Read(resp.Body, &gosse.ReadConfig{MaxEventSize: 16 << 20}))
	r := &testReader{tb: tb, resp: resp, next: next, close: func() {
		stop()
		cancel()
		resp.Body.Close()
	}}
	tb.Cleanup(r.close)
	return r
}

// event returns the next event and fails the test when there is none. Blocks
// without data are no events, which the library leaves to its caller.
func (r *testReader) event() gosse.Event {
	r.tb.Helper()
	for {
		event, err, ok := r.next()
		if err != nil || !ok {
			r.tb.Fatalf("feed ended: %v", err)
		}
		if event.Data != "" {
			return event
		}
	}
}
