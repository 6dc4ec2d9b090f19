package console

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
)

// following is a Follow under way, told over channels.
type following struct {
	t      *testing.T
	cancel context.CancelFunc
	events chan Event
	missed chan Missed
	states chan State
	done   chan error
}

func follow(t *testing.T, cfg FollowConfig) *following {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	f := &following{
		t: t, cancel: cancel,
		events: make(chan Event, 1000), missed: make(chan Missed, 100), states: make(chan State, 1000), done: make(chan error, 1),
	}
	cfg.OnEvent = func(e Event) { f.events <- e }
	cfg.OnMissed = func(m Missed) { f.missed <- m }
	cfg.OnState = func(s State) { f.states <- s }
	if cfg.MinBackoff == 0 {
		cfg.MinBackoff, cfg.MaxBackoff = time.Millisecond, 5*time.Millisecond
	}
	var running sync.WaitGroup
	running.Go(func() { f.done <- Follow(ctx, cfg) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return f
}

// until waits for a state and returns it.
func (f *following) until(want Connection) State {
	f.t.Helper()
	for {
		select {
		case got := <-f.states:
			if got.Connection == want {
				return got
			}
		case err := <-f.done:
			f.t.Fatalf("Follow() = %v while state %d was expected", err, want)
		}
	}
}

// end ends Follow and returns its error.
func (f *following) end() error {
	f.cancel()
	return <-f.done
}

func TestFollow(t *testing.T) {
	hub := serve(t, HubConfig{})
	f := follow(t, FollowConfig{
		URL: strings.TrimSuffix(hub.url, LivePath), Conversations: []string{"c", "d"}, Events: []string{"user_prompt", "codex.sse_event"},
	})
	f.until(Connected)
	hub.Record(numbered(1, &events.APIRequest{}, "c"))
	hub.Record(numbered(2, delta(), "else"))
	record := numbered(3, &events.UserPrompt{Prompt: events.Some(strings.Repeat("long\n", 50_000))}, "d")
	hub.Record(record)
	want := Event{ID: hub.eventID(3), Name: events.NameUserPrompt, Data: AppendJSON(nil, &events.Encoder{}, record)}
	if diff := cmp.Diff(want, <-f.events); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if err := f.end(); err != nil {
		t.Errorf("Follow() = %v after its context ended; want nil", err)
	}
	<-hub.left
}

// TestFollowResumes loses the connection, not the proxy: nothing is missed or
// told twice.
func TestFollowResumes(t *testing.T) {
	hub := NewHub(HubConfig{})
	server := httptest.NewUnstartedServer(hub)
	server.Start()
	stop := runHub(t, hub)
	t.Cleanup(func() {
		stop()
		server.Close()
	})
	f := follow(t, FollowConfig{URL: server.URL, MinBackoff: time.Millisecond, MaxBackoff: time.Minute})
	f.until(Connected)
	seq := uint64(0)
	for range 5 {
		for range 10 {
			hub.Record(numbered(int(seq), delta(), "c"))
			seq++
			if got := <-f.events; got.ID != hub.eventID(seq) {
				t.Fatalf("id = %q; want %q", got.ID, hub.eventID(seq))
			}
		}
		server.CloseClientConnections()
		hub.Record(numbered(int(seq), delta(), "c")) // while nobody reads, perhaps
		seq++
		if got := <-f.events; got.ID != hub.eventID(seq) {
			t.Fatalf("after the loss, id = %q; want %q", got.ID, hub.eventID(seq))
		}
		if lost := f.until(Lost); lost.Retry > time.Millisecond {
			t.Errorf("pause after a connection that worked = %v; want at most 1 ms", lost.Retry)
		}
	}
	if len(f.missed) > 0 {
		t.Errorf("told of %v; want nothing missed", <-f.missed)
	}
}

// TestFollowSurvivesRestart stops the proxy and starts another on the same
// port.
func TestFollowSurvivesRestart(t *testing.T) {
	var listening net.ListenConfig
	start := func(address string) (hub *Hub, at string, stop func()) {
		listener, err := listening.Listen(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		hub = NewHub(HubConfig{})
		server := &http.Server{Handler: hub, ReadHeaderTimeout: time.Minute}
		serving := make(chan struct{})
		go func() {
			defer close(serving)
			_ = server.Serve(listener)
		}()
		stopHub := runHub(t, hub)
		return hub, listener.Addr().String(), func() {
			stopHub()
			if err := server.Shutdown(t.Context()); err != nil {
				t.Errorf("Shutdown() = %v", err)
			}
			<-serving
		}
	}
	first, address, stop := start("127.0.0.1:0")
	f := follow(t, FollowConfig{URL: "http://" + address})
	f.until(Connected)
	first.Record(numbered(1, delta(), "c"))
	<-f.events
	stop()
	if lost := f.until(Lost); lost.Err != nil || lost.Retry > 5*time.Millisecond {
		t.Errorf("after a clean end, state = %+v; want no error and a short pause", lost)
	}
	if again := f.until(Lost); again.Err == nil || !strings.Contains(again.Err.Error(), "is the proxy running on "+address) {
		t.Errorf("while nothing listens, error = %v", again.Err)
	}
	second, _, stop := start(address)
	defer stop()
	second.Record(numbered(1, delta(), "c"))
	if got := <-f.missed; got != (Missed{Reason: ReasonRestart}) {
		t.Errorf("missed = %+v; want an unknown number, after a restart", got)
	}
	if got := <-f.events; got.ID != second.eventID(1) {
		t.Errorf("first event of the new proxy = %q; want %q", got.ID, second.eventID(1))
	}
	if err := f.end(); err != nil {
		t.Errorf("Follow() = %v; want nil", err)
	}
}

// TestFollowGivesUpOnSilence has a server that sends nothing after the headers.
func TestFollowGivesUpOnSilence(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	f := follow(t, FollowConfig{URL: server.URL, IdleTimeout: 10 * time.Millisecond})
	if lost := f.until(Lost); lost.Err == nil || !strings.Contains(lost.Err.Error(), "no heartbeat") {
		t.Errorf("state = %+v; want it lost for want of a heartbeat", lost)
	}
	f.until(Connected)
	if err := f.end(); err != nil {
		t.Errorf("Follow() = %v; want nil", err)
	}
}

// TestFollowStopsWhenRefusedForGood is let in once and then no more.
func TestFollowStopsWhenRefusedForGood(t *testing.T) {
	answers := make(chan int, 3)
	answers <- http.StatusOK
	answers <- http.StatusServiceUnavailable
	answers <- http.StatusNotFound
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(<-answers)
	}))
	t.Cleanup(server.Close)
	err := <-follow(t, FollowConfig{URL: server.URL}).done
	if err == nil || !strings.Contains(err.Error(), "404") || len(answers) > 0 {
		t.Errorf("Follow() = %v with %d answers left; want the 404 after the 503", err, len(answers))
	}
}

func TestFollowPauses(t *testing.T) {
	f := &follower{cfg: FollowConfig{}.withDefaults()}
	for failures, ms := range []int{250, 250, 500, 1000, 2000, 4000, 5000, 5000, 5000} {
		f.failures = failures
		want := time.Duration(ms) * time.Millisecond
		for range 50 {
			if got := f.pause(); got < want/2 || got > want {
				t.Fatalf("pause after %d failures = %v; want between half of %v and all of it", failures, got, want)
			}
		}
	}
	f.failures = 1 << 40
	if got := f.pause(); got > 5*time.Second || got <= 0 {
		t.Errorf("pause = %v; want at most 5 s", got)
	}
}
