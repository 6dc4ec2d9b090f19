package proxy

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// Bounds of what waits for a Recorder that does not return. One that works is
// behind by a few records.
const (
	maxUntold      = 32 << 10
	maxUntoldBytes = 64 << 20
	// deltaShare is the part of the room, in fourths, that deltas may take.
	deltaShare = 3
	// untoldBytes is what a record takes besides its long texts.
	untoldBytes = 512
)

// Records are handed on in batches: what a record goes through is in the caches of
// the processor for the second one, and a goroutine started for each costs more
// than the record. tellDelay after the first of a batch is soon enough for those
// who watch, and it is part of the 200 ms within which a record is on disk.
const (
	tellDelay = 10 * time.Millisecond
	// maxBatch ends the wait of a batch early.
	maxBatch = 256
)

// teller hands records on to the Recorder of a Handler, in the order in which
// they came, on a goroutine of its own that runs while there are some. So
// traffic waits for no Recorder, not even for one that never returns, and none
// can panic into it. What finds no more room is counted, and told to Config.Lost
// as soon as the Recorder goes on.
type teller struct {
	next    events.Recorder
	lost    func(name string, n int)
	onPanic func()

	mu      sync.Mutex
	queue   []events.Record
	bytes   int            // of the queue, about
	missing map[string]int // by event name, to be told to lost
	dropped int64
	done    chan struct{} // closed when the goroutine ends; nil while nothing waits and there is none
	timer   *time.Timer   // starts the goroutine
}

// Record implements events.Recorder. It waits for a short lock alone. With every
// full batch it gives way once: streams that never wait for their upstream would
// keep the processor from the goroutine that tells, until there is no more room.
func (t *teller) Record(r events.Record) {
	if t.put(r) {
		runtime.Gosched()
	}
}

// put adds a record, and reports whether there are as many as a batch, or a multiple
// of that.
func (t *teller) put(r events.Record) (full bool) {
	size := untold(r.Event)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.fits(r.Event, size) {
		t.dropped++
		if t.missing == nil {
			t.missing = make(map[string]int)
		}
		t.missing[r.Event.EventName()]++
		return false
	}
	t.queue = append(t.queue, r)
	t.bytes += size
	switch {
	case t.done == nil:
		t.done = make(chan struct{})
		if t.timer == nil {
			t.timer = time.AfterFunc(tellDelay, t.run)
		} else {
			t.timer.Reset(tellDelay)
		}
	case len(t.queue) == maxBatch:
		t.hurry()
	}
	return len(t.queue)%maxBatch == 0
}

// hurry starts the goroutine if it waits for its time. The caller holds mu.
func (t *teller) hurry() {
	if t.done != nil && t.timer.Stop() {
		go t.run()
	}
}

// fits reports whether there is room for one more event. The last of it is kept
// for those that are no deltas.
func (t *teller) fits(event events.Event, size int) bool {
	records, bytes := maxUntold, maxUntoldBytes
	if isDelta(event) {
		records, bytes = records/4*deltaShare, bytes/4*deltaShare
	}
	return len(t.queue) < records && (t.bytes+size <= bytes || t.bytes == 0)
}

func isDelta(event events.Event) bool {
	switch e := event.(type) {
	case *events.SSEEvent:
		return strings.HasSuffix(e.Kind.Value, ".delta")
	case *events.WebSocketEvent:
		return strings.HasSuffix(e.Kind, ".delta")
	default:
		return false
	}
}

// untold returns about how much memory an event holds.
func untold(event events.Event) int {
	switch e := event.(type) {
	case *events.UserPrompt:
		return untoldBytes + len(e.Prompt.Value)
	case *events.ToolResult:
		return untoldBytes + len(e.Arguments.Value) + len(e.Output.Value)
	case *events.SSEEvent:
		return untoldBytes + len(e.ErrorMessage)
	case *events.WebSocketEvent:
		return untoldBytes + len(e.Kind) + len(e.ErrorMessage)
	default:
		return untoldBytes
	}
}

// run hands on what waits until nothing does.
func (t *teller) run() {
	t.mu.Lock()
	done := t.done
	t.mu.Unlock()
	defer close(done)
	var batch []events.Record
	for {
		var missing map[string]int
		batch, missing = t.take(batch)
		if len(batch) == 0 && missing == nil {
			return
		}
		for i := range batch {
			t.tell(batch[i])
		}
		for name, n := range missing {
			t.miss(name, n)
		}
	}
}

// take returns what waits, and leaves a used slice for what comes next. With
// nothing to return the goroutine has ended.
func (t *teller) take(used []events.Record) (batch []events.Record, missing map[string]int) {
	clear(used)
	t.mu.Lock()
	defer t.mu.Unlock()
	batch, missing = t.queue, t.missing
	t.queue, t.bytes, t.missing = used[:0], 0, nil
	if len(batch) == 0 && missing == nil {
		t.done = nil
		if cap(used) > maxIdleQueue {
			t.queue = nil
		}
	}
	return batch, missing
}

// maxIdleQueue is how many records the slices have room for that are kept while
// nothing happens.
const maxIdleQueue = 1024

func (t *teller) tell(r events.Record) {
	defer t.contain()
	t.next.Record(r)
}

func (t *teller) miss(name string, n int) {
	defer t.contain()
	if t.lost != nil {
		t.lost(name, n)
	}
}

func (t *teller) contain() {
	if recover() != nil {
		t.onPanic()
	}
}

// settle waits until the Recorder has taken what was recorded, or ctx ends, whose
// error it returns then.
func (t *teller) settle(ctx context.Context) error {
	for {
		t.mu.Lock()
		t.hurry()
		done := t.done
		t.mu.Unlock()
		if done == nil {
			return nil
		}
		select {
		case <-done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// stats returns how many records wait for the Recorder, and how many found no
// room.
func (t *teller) stats() (waiting int, dropped int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.queue), t.dropped
}
