package console

import (
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
)

// TestReaderThatLeftIsNotFed has a reader leave while Run is about to give it a
// turn, and the ring pass over what it had yet to read.
func TestReaderThatLeftIsNotFed(t *testing.T) {
	hub := NewHub(HubConfig{MaxRecords: 4})
	rd, err := hub.join(filter{}, "", func() {})
	if err != nil {
		t.Fatal(err)
	}
	hub.attach(rd)
	hub.feed(rd) // the greeting
	hub.Record(numbered(1, delta(), "c"))
	readers := hub.snapshot()
	hub.leave(rd, true)
	for i := range 10 {
		hub.Record(numbered(i, &events.UserPrompt{Prompt: events.Some("x")}, "c"))
	}
	for _, rd := range readers {
		if more := hub.feed(rd); more {
			t.Error("feed() of a reader that left = true; want nothing more to send")
		}
	}
	if got := hub.Stats().Sent; got != 0 {
		t.Errorf("Sent = %d; want 0", got)
	}
}
