package console

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

func TestFeedRefuses(t *testing.T) {
	hub := serve(t, HubConfig{})
	tests := []struct {
		name, method, query string
		wantStatus          int
		wantBody            string
	}{
		{"unknown event", http.MethodGet, "?event=codex.sse_evnt", http.StatusBadRequest, "codex.sse_event"},
		{"empty event", http.MethodGet, "?event=", http.StatusBadRequest, "unknown event"},
		{"too many conversations", http.MethodGet, "?x" + strings.Repeat("&conversation=c", 33), http.StatusBadRequest, "at most 32"},
		{"another method", http.MethodPost, "", http.StatusMethodNotAllowed, "GET"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), test.method, hub.url+test.query, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := hub.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != test.wantStatus || !strings.Contains(string(body), test.wantBody) {
				t.Errorf("answer = %d %s; want %d with %q", resp.StatusCode, body, test.wantStatus, test.wantBody)
			}
		})
	}
}

func TestFeedBoundsReaders(t *testing.T) {
	hub := serve(t, HubConfig{MaxReaders: 2})
	first := hub.join(t, "", "")
	hub.join(t, "", "")
	status := func() int {
		w := httptest.NewRecorder()
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // Whoever is let in leaves at once.
		hub.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, LivePath, http.NoBody))
		return w.Code
	}
	if got := status(); got != http.StatusServiceUnavailable {
		t.Errorf("third reader is answered %d; want 503", got)
	}
	first.close()
	<-hub.left
	if got := status(); got != http.StatusOK {
		t.Errorf("reader after one left is answered %d; want 200", got)
	}
	if stats := hub.Stats(); stats.Refused != 1 || stats.Joined != 3 || stats.Cut != 0 {
		t.Errorf("Stats() = %+v; want 1 refused, 3 joined, none cut", stats)
	}
}

// TestFeedLeavesNothingBehind relies on goleak at the end of the package's
// tests for the goroutines.
func TestFeedLeavesNothingBehind(t *testing.T) {
	hub := serve(t, HubConfig{})
	const readers = 20
	var reading sync.WaitGroup
	joined := make(chan *testReader, readers)
	for range readers {
		joined <- hub.join(t, "", "")
	}
	for n := range readers {
		reading.Go(func() {
			r := <-joined
			for range n { // Some leave with events on the way.
				r.event()
			}
			r.close()
		})
		hub.Record(numbered(n, delta(), "c"))
	}
	for n := range 200 {
		hub.Record(numbered(n, delta(), "c"))
	}
	reading.Wait()
	for range readers {
		<-hub.left
	}
	stats := hub.Stats()
	if stats.Readers != 0 || stats.Joined != readers {
		t.Errorf("Stats() = %+v; want all of %d readers gone", stats, readers)
	}
	for serial := uint64(1); serial <= readers; serial++ {
		if hub.server.StreamExists(hub.eventID(serial)) {
			t.Errorf("stream %d still exists", serial)
		}
	}
}

// TestFeedBeats reads the raw feed: comments keep it alive and carry the
// position past records that the filter hides, so that a return asks for
// nothing that has expired.
func TestFeedBeats(t *testing.T) {
	hub := serve(t, HubConfig{Heartbeat: 5 * time.Millisecond, MaxRecords: 5})
	r := hub.join(t, "?conversation=none", "")
	for n := range 50 {
		hub.Record(numbered(n, delta(), "c"))
	}
	var got []string
	for lines := bufio.NewScanner(r.resp.Body); !slices.Contains(got, "id: "+hub.eventID(50)) || len(got) < 4; {
		if !lines.Scan() {
			t.Fatalf("feed ended after %q: %v", got, lines.Err())
		}
		if line := lines.Text(); line != "" {
			got = append(got, line)
		}
	}
	if got[0] != ": connected" || !strings.HasPrefix(got[1], "id: "+hub.prefix) || got[2] != ": heartbeat" {
		t.Errorf("feed begins %q; want a greeting with its position, then a heartbeat", got[:3])
	}
	for _, line := range got {
		if strings.HasPrefix(line, "data") {
			t.Errorf("idle feed has %q", line)
		}
	}
	back := hub.join(t, "", hub.eventID(50))
	hub.Record(numbered(51, delta(), "c"))
	if event := back.event(); event.Type == NameMissed {
		t.Errorf("reader that returns with a heartbeat's id is told %s", event.Data)
	}
}

func TestFeedEndsCleanly(t *testing.T) {
	hub := serve(t, HubConfig{})
	readers := []*testReader{hub.join(t, "", ""), hub.join(t, "", "")}
	const total = 300
	for n := range total {
		hub.Record(numbered(n, delta(), "c"))
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		hub.stop()
	}()
	for _, r := range readers {
		for seq := uint64(1); seq <= total; seq++ {
			if got := r.event(); got.LastEventID != hub.eventID(seq) {
				t.Fatalf("id = %q; want %q", got.LastEventID, hub.eventID(seq))
			}
		}
		if event, err, ok := r.next(); ok && err != nil && !errors.Is(err, io.EOF) {
			t.Errorf("after the last record: %+v, %v; want the end", event, err)
		}
	}
	<-stopped
	w := httptest.NewRecorder()
	hub.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, LivePath, http.NoBody))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("reader of a closed hub is answered %d; want 503 with Retry-After", w.Code)
	}
	hub.Record(numbered(1, delta(), "c")) // still harmless
}

func TestFeedOverHTTP2(t *testing.T) {
	hub := NewHub(HubConfig{})
	server := httptest.NewUnstartedServer(hub)
	server.EnableHTTP2 = true
	server.StartTLS()
	stop := runHub(t, hub)
	t.Cleanup(func() {
		stop()
		server.Client().CloseIdleConnections()
		server.Close()
	})
	s := &served{Hub: hub, url: server.URL + LivePath, client: server.Client()}
	r := s.join(t, "", "")
	if r.resp.ProtoMajor != 2 {
		t.Fatalf("protocol = %s; want HTTP/2", r.resp.Proto)
	}
	hub.Record(numbered(1, &events.UserPrompt{Prompt: events.Some(strings.Repeat("x", 300<<10))}, "c"))
	if got := r.event(); got.LastEventID != hub.eventID(1) {
		t.Errorf("id = %q; want %q", got.LastEventID, hub.eventID(1))
	}
}
