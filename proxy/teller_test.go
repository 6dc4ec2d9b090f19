package proxy

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// slowRecorder is a Recorder that waits for a channel before it takes a record.
type slowRecorder struct {
	open chan struct{}

	mu  sync.Mutex
	ids []string
}

func (s *slowRecorder) Record(r events.Record) {
	<-s.open
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, r.ID)
}

// take returns the ids of what came since the last time.
func (s *slowRecorder) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := s.ids
	s.ids = nil
	return ids
}

func deltaRecord(id string) events.Record {
	return events.Record{Event: &events.SSEEvent{Kind: events.Some("response.output_text.delta")}, Scope: &events.Scope{}, ID: id}
}

func promptRecord(id string, size int) events.Record {
	return events.Record{Event: &events.UserPrompt{Prompt: events.Some(string(make([]byte, size)))}, Scope: &events.Scope{}, ID: id}
}

// hurry has what was recorded told now.
func hurry(t *teller) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hurry()
}

// TestTellerBatches wants records told soon after the first of them, and a full batch at once.
func TestTellerBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		close(open)
		recorder := &slowRecorder{open: open}
		teller := &teller{next: recorder}
		teller.Record(deltaRecord("1"))
		synctest.Wait()
		teller.Record(deltaRecord("2"))
		if told := recorder.take(); len(told) != 0 {
			t.Errorf("%q told at once; want a batch", told)
		}
		for range 2 { // the second time with the timer of the first
			<-time.After(tellDelay)
			synctest.Wait()
			if told := recorder.take(); len(told) != 2 {
				t.Errorf("%q told after %v; want both", told, tellDelay)
			}
			teller.Record(deltaRecord("1"))
			teller.Record(deltaRecord("2"))
		}
		for range maxBatch - 2 {
			teller.Record(deltaRecord("more"))
		}
		synctest.Wait()
		if told := recorder.take(); len(told) != maxBatch {
			t.Errorf("%d told; want a full batch at once", len(told))
		}
	})
}

// TestTellerKeepsTheOrder records from several goroutines, and wants the records of each in their order.
func TestTellerKeepsTheOrder(t *testing.T) {
	const writers, records = 8, 2000
	open := make(chan struct{})
	close(open)
	recorder := &slowRecorder{open: open}
	teller := &teller{next: recorder}
	var group sync.WaitGroup
	for writer := range writers {
		group.Go(func() {
			for i := range records {
				teller.Record(deltaRecord(strconv.Itoa(writer*records + i)))
			}
		})
	}
	group.Wait()
	if err := teller.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := map[int]int{}
	for _, id := range recorder.ids {
		n, err := strconv.Atoi(id)
		if err != nil {
			t.Fatal(err)
		}
		writer, i := n/records, n%records
		if i != last[writer] {
			t.Fatalf("record %d of writer %d comes after %d records of it", i, writer, last[writer])
		}
		last[writer]++
	}
	if len(recorder.ids) != writers*records {
		t.Errorf("%d records told; want %d", len(recorder.ids), writers*records)
	}
}

// TestTellerIsBounded has a Recorder that does not return until more came than there is room for. What finds no room is told
// to be lost, deltas first, and the rest is told in order.
func TestTellerIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := &slowRecorder{open: make(chan struct{})}
		lost := map[string]int{}
		teller := &teller{next: recorder, lost: func(name string, n int) { lost[name] += n }}
		teller.Record(deltaRecord("first"))
		hurry(teller)
		synctest.Wait() // The first one is with the recorder.
		const deltaRoom = maxUntold / 4 * deltaShare
		for i := range deltaRoom + 10 {
			teller.Record(deltaRecord(strconv.Itoa(i)))
		}
		for range maxUntold - deltaRoom + 5 {
			teller.Record(promptRecord("prompt", 1))
		}
		if waiting, dropped := teller.stats(); waiting != maxUntold || dropped != 15 {
			t.Errorf("stats() = %d, %d; want %d that wait and 15 dropped", waiting, dropped, maxUntold)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := teller.settle(ctx); err == nil {
			t.Error("settle() = nil; want the error of its context, since the recorder does not return")
		}
		close(recorder.open)
		if err := teller.settle(t.Context()); err != nil {
			t.Error(err)
		}
		if len(recorder.ids) != 1+maxUntold || recorder.ids[0] != "first" || !slices.Equal(recorder.ids[1:4], []string{"0", "1", "2"}) {
			t.Errorf("%d records told, beginning with %q; want %d in order", len(recorder.ids), recorder.ids[:4], 1+maxUntold)
		}
		if lost[events.NameSSEEvent] != 10 || lost["codex.user_prompt"] != 5 {
			t.Errorf("lost = %v; want 10 deltas and 5 prompts", lost)
		}
	})
}

// TestTellerIsBoundedInBytes has prompts that fill the room by their size.
func TestTellerIsBoundedInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := &slowRecorder{open: make(chan struct{})}
		teller := &teller{next: recorder}
		teller.Record(deltaRecord("first"))
		hurry(teller)
		synctest.Wait()
		for range 5 {
			teller.Record(promptRecord("prompt", maxUntoldBytes/4-untoldBytes))
		}
		if waiting, dropped := teller.stats(); waiting != 4 || dropped != 1 {
			t.Errorf("stats() = %d, %d; want 4 that wait and 1 dropped", waiting, dropped)
		}
		close(recorder.open)
		if err := teller.settle(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// brittleRecorder panics at every other record.
type brittleRecorder struct{ records atomic.Int64 }

func (b *brittleRecorder) Record(events.Record) {
	if b.records.Add(1)%2 == 1 {
		panic("recorder")
	}
}

// TestTellerContainsPanics wants every record told although the Recorder panics, and the panics counted.
func TestTellerContainsPanics(t *testing.T) {
	var panics atomic.Int64
	recorder := &brittleRecorder{}
	teller := &teller{next: recorder, onPanic: func() { panics.Add(1) }}
	for range 10 {
		teller.Record(deltaRecord(""))
	}
	if err := teller.settle(t.Context()); err != nil {
		t.Error(err)
	}
	if recorder.records.Load() != 10 || panics.Load() != 5 {
		t.Errorf("%d records told, %d panics; want 10 and 5", recorder.records.Load(), panics.Load())
	}
}
