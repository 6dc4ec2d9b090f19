package console

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// big returns a record too large for many of them to hide in socket buffers.
func big(n int) events.Record {
	return numbered(n, &events.UserPrompt{Prompt: events.Some(strings.Repeat("x", 64<<10))}, "c")
}

// joinStuck opens the feed on a connection that nobody reads.
func (s *served) joinStuck(t *testing.T) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), LivePath))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET "+LivePath+" HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// The first byte tells that the reader has joined.
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

func TestStuckReaderDelaysNobody(t *testing.T) {
	hub := serve(t, HubConfig{WriteTimeout: time.Minute})
	hub.joinStuck(t)
	fast := hub.join(t, "", "")
	var worst time.Duration
	const batches, batch = 20, 20
	for b := range batches {
		for i := range batch {
			began := time.Now()
			hub.Record(big(b*batch + i))
			worst = max(worst, time.Since(began))
		}
		for i := range batch {
			if got, want := fast.event().LastEventID, hub.eventID(uint64(b*batch+i+1)); got != want {
				t.Fatalf("fast reader got %s; want %s", got, want)
			}
		}
	}
	if worst > 5*time.Second {
		t.Errorf("slowest Record took %v", worst)
	}
	hub.mu.Lock()
	stuck := hub.readers[0]
	behind := hub.ring.next - stuck.next
	hub.mu.Unlock()
	if behind == 0 || !stuck.window.high() {
		t.Errorf("stuck reader is %d records behind; want it stuck", behind)
	}
	began := time.Now()
	hub.stop()
	for range 2 {
		<-hub.left
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("the end took %v with a stuck reader", took)
	}
}

func TestStuckReaderIsCutOff(t *testing.T) {
	hub := serve(t, HubConfig{WriteTimeout: 50 * time.Millisecond})
	hub.joinStuck(t)
	for n := range 400 {
		hub.Record(big(n))
	}
	<-hub.left
	if stats := hub.Stats(); stats.Cut != 1 || stats.Readers != 0 {
		t.Errorf("Stats() = %+v; want one reader cut and none left", stats)
	}
}

// TestSlowReaderIsToldWhatItMissed lets a reader fall behind until the ring
// runs over it: what it gets and what it is told to have missed is everything.
func TestSlowReaderIsToldWhatItMissed(t *testing.T) {
	hub := serve(t, HubConfig{MaxRecords: 20, MaxBytes: 1 << 30})
	r := hub.join(t, "?event=user_prompt", "")
	const total = 400
	for n := range total {
		hub.Record(big(n))
		hub.Record(numbered(n, delta(), "c")) // not what the reader asked for
	}
	got, missed := 0, 0
	for lastID := ""; lastID != hub.eventID(2*total-1); {
		event := r.event()
		if event.Type == NameMissed {
			var data struct {
				Missed int    `json:"missed"`
				Reason string `json:"reason"`
			}
			if err := json.Unmarshal([]byte(event.Data), &data); err != nil || data.Reason != ReasonSlow {
				t.Fatalf("missed = %s: %v", event.Data, err)
			}
			missed += data.Missed
			continue
		}
		got++
		lastID = event.LastEventID
	}
	if missed == 0 || got+missed != total {
		t.Errorf("got %d, missed %d; want %d in all, some of them missed", got, missed, total)
	}
	if stats := hub.Stats(); stats.MissedSlow != uint64(missed) || stats.Sent != uint64(got) {
		t.Errorf("MissedSlow = %d, Sent = %d; want %d, %d", stats.MissedSlow, stats.Sent, missed, got)
	}
}

// brokenResponse is a connection that fails.
type brokenResponse struct {
	http.ResponseWriter
	writes int
}

func (w *brokenResponse) Write([]byte) (int, error) {
	w.writes++
	return 0, os.ErrDeadlineExceeded
}

func TestFeedWriterFailsOnce(t *testing.T) {
	broken := &brokenResponse{ResponseWriter: httptest.NewRecorder()}
	w := newFeedWriter(broken, time.Minute)
	var opened, written, failed int
	w.opened = func() { opened++ }
	w.written = func() { written++ }
	w.failed = func() { failed++ }
	for range 4 {
		if n, err := w.Write([]byte("data")); n != 4 || err != nil {
			t.Errorf("Write() = %d, %v; want 4, nil", n, err)
		}
		w.Flush()
	}
	if opened != 1 || written != 3 || failed != 1 || broken.writes != 1 || !w.stalled() {
		t.Errorf("opened %d, written %d, failed %d, writes %d, stalled %t; want 1, 3, 1, 1, true", opened, written, failed, broken.writes, w.stalled())
	}
}
