package store

import (
	"context"
	"errors"
	"fmt"
)

// round is a transaction that somebody waits for. Those who come while another
// one is under way share the next.
type round struct {
	done chan struct{}
	err  error // set before done is closed
}

// Sync implements outbox.Outbox: it returns once a transaction has what was
// appended and kept before, or why there is none. Nobody waits longer than ctx
// allows, whatever the disk does.
func (s *Store) Sync(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.rounds.Lock()
	r := s.next
	if r == nil {
		r = &round{done: make(chan struct{})}
		s.next = r
		go s.play(r)
	}
	s.rounds.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return fmt.Errorf("wait for the disk: %w", ctx.Err())
	}
}

// errPanicked is what those get who waited for a transaction that panicked.
var errPanicked = errors.New("writing panicked")

// play carries a round out. There are two at most: one that writes and one that
// waits for it.
func (s *Store) play(r *round) {
	s.disk.Lock()
	defer s.disk.Unlock()
	s.rounds.Lock()
	s.next = nil // Who comes from here on may have appended too late.
	s.rounds.Unlock()
	r.err = errPanicked
	defer func() {
		if recover() != nil {
			s.fails(errPanicked)
		}
		close(r.done)
	}()
	r.err = s.save()
}

// save writes what waits, if the disk can be used.
func (s *Store) save() error {
	switch {
	case s.closed:
		return errClosed
	case s.db == nil:
		return s.health.err()
	}
	return s.commit()
}

var errClosed = errors.New("the store is closed")
