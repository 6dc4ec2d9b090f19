package responsestest

import (
	"context"
	"fmt"
	"slices"
)

// Requests returns the calls that arrived, in their order: POST requests to a
// path that ends in /responses, whether or not a mount took them.
func (s *Server) Requests() []*Request { return s.recorded(&s.calls) }

// OtherRequests returns the requests that were no calls, for instance for
// /v1/models, and those whose body broke off.
func (s *Server) OtherRequests() []*Request { return s.recorded(&s.others) }

// Upgrades returns the attempts to open a WebSocket.
func (s *Server) Upgrades() []*Request { return s.recorded(&s.upgrades) }

// Unrecorded returns how many requests were answered but not kept because
// [Options.MaxRequests] was reached.
func (s *Server) Unrecorded() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// Await waits until n calls have arrived and returns them, or the context's
// error with those that have. A call counts when its body has been read, before
// its answer begins.
func (s *Server) Await(ctx context.Context, n int) ([]*Request, error) {
	for {
		s.mu.Lock()
		calls, arrived := slices.Clone(s.calls), s.arrived
		s.mu.Unlock()
		if len(calls) >= n {
			return calls, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return calls, fmt.Errorf("await call %d of %d: %w", len(calls)+1, n, ctx.Err())
		}
	}
}

func (s *Server) recorded(list *[]*Request) []*Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(*list)
}

// take gives the request to the mount if it has calls left, and says which call
// it is. Taking and recording are one step, so both have the same order.
func (s *Server) take(m *Mount, list *[]*Request, r *Request) (n int, serial int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.maxCalls != unlimited && m.calls >= m.maxCalls {
		return 0, 0, false
	}
	n = m.calls
	m.calls++
	return n, s.keep(list, r, m), true
}

// record keeps a request that no mount took and returns its serial number,
// which counts all.
func (s *Server) record(list *[]*Request, r *Request) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep(list, r, nil)
}

func (s *Server) keep(list *[]*Request, r *Request, m *Mount) int64 {
	s.serial++
	if s.kept >= s.opts.MaxRequests {
		s.lost++
		return s.serial
	}
	s.kept++
	if size := int64(len(r.Body)); s.keptBytes+size > s.opts.MaxRecordedBytes {
		// The handler goes on with the whole request.
		r = r.withoutBody()
	} else {
		s.keptBytes += size
	}
	*list = append(*list, r)
	if m != nil {
		m.requests = append(m.requests, r)
	}
	if list == &s.calls {
		close(s.arrived)
		s.arrived = make(chan struct{})
	}
	return s.serial
}
