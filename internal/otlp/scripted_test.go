package otlp

import (
	"context"
	"slices"
	"sync"
	"time"
)

// scripted is a sender without a network, for tests about time.
type scripted struct {
	mu      sync.Mutex
	replies []reply // the last one repeats
	tries   []time.Time
	sizes   []int
	closed  bool
}

func (s *scripted) send(_ context.Context, payload []byte) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.replies[min(len(s.tries), len(s.replies)-1)]
	s.tries = append(s.tries, time.Now())
	s.sizes = append(s.sizes, len(payload))
	return r
}

// history returns when tries were made and how many bytes they had.
func (s *scripted) history() ([]time.Time, []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tries), slices.Clone(s.sizes)
}

func (s *scripted) count() int {
	tries, _ := s.history()
	return len(tries)
}

func (s *scripted) close() error {
	s.closed = true
	return nil
}

func openScripted(cfg Config, s sender) *Exporter {
	return newExporter(cfg.withDefaults(), s, &scrubber{}, "collector.example")
}
