package chaos_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// stalls measures how long the machine keeps a program from running, and a disk from syncing, for reasons that are not the
// proxy's: on a busy one, whatever takes 200 ms by its timers takes longer.
type stalls struct {
	mu      sync.Mutex
	samples []stall
	began   time.Time // when the sample under way did
}

// pause is between two samples.
const pause = 10 * time.Millisecond

// stall is a wait that took so much longer than it should, or a sync that took so long.
type stall struct {
	at         time.Time
	wait, sync time.Duration
}

// measure goes on until ctx ends.
func (s *stalls) measure(ctx context.Context, t *testing.T, dir string) {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, "probe"))
	if err != nil {
		t.Error(err)
		return
	}
	defer file.Close()
	for ctx.Err() == nil {
		began := time.Now()
		s.mu.Lock()
		s.began = began
		s.mu.Unlock()
		<-time.After(pause)
		woken := time.Now()
		if _, err := file.WriteAt(make([]byte, 4096), 0); err != nil {
			t.Error(err)
			return
		}
		if err := file.Sync(); err != nil {
			t.Error(err)
			return
		}
		s.mu.Lock()
		s.samples = append(s.samples, stall{time.Now(), max(0, woken.Sub(began)-pause), time.Since(woken)})
		s.mu.Unlock()
	}
}

// before returns by how much the machine may have made the window longer in the second before at: a batch waits for a timer
// of its own, for one of the store, to be scheduled, and for the disk.
func (s *stalls) before(at time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var wait, sync time.Duration
	for _, sample := range s.samples {
		if at.Sub(sample.at) <= time.Second {
			wait, sync = max(wait, sample.wait), max(sync, sample.sync)
		}
	}
	s.samples = nil
	// Whatever holds up the sample under way is not over.
	wait = max(wait, at.Sub(s.began)-pause)
	return 3*wait + sync
}
