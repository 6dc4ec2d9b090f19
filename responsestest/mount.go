package responsestest

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
)

// unlimited is the number of calls of a mount that sets no bound.
const unlimited = -1

// Mount is what a server answers to some of its requests, and how many of them
// the test expects.
type Mount struct {
	server *Server
	kind   string // for messages
	where  string // file:line of the mounting
	match  func(*Request) bool
	answer func(n int, r *Request) Response // n counts this mount's calls from 0
	route  bool                             // takes requests that are no calls, too

	// Guarded by server.mu.
	minCalls, maxCalls int
	requests           []*Request
	calls              int
}

// Once answers one call, whatever it asks for, and expects exactly one.
func (s *Server) Once(resp Response) *Mount {
	return s.add(&Mount{kind: "answer once", minCalls: 1, maxCalls: 1}, resp)
}

// Any answers every call alike and, without [Mount.Times] or [Mount.AtLeast],
// expects none in particular.
func (s *Server) Any(resp Response) *Mount {
	return s.add(&Mount{kind: "answer to any call", maxCalls: unlimited}, resp)
}

// Match answers every call for which match returns true. Match may be called
// from several goroutines at once, and for calls that another mount then takes.
func (s *Server) Match(match func(*Request) bool, resp Response) *Mount {
	return s.add(&Mount{kind: "answer to a matching call", maxCalls: unlimited, match: match}, resp)
}

// Sequence answers the first call with the first response and so on, and expects
// exactly as many calls as there are responses. [Mount.Times] shortens it, or
// lets it start over.
func (s *Server) Sequence(resps ...Response) *Mount {
	kind := fmt.Sprintf("sequence of %d", len(resps))
	return s.add(&Mount{kind: kind, minCalls: len(resps), maxCalls: len(resps)}, resps...)
}

// Func answers every call with what answer makes of it. Answer may be called
// from several goroutines at once.
func (s *Server) Func(answer func(*Request) Response) *Mount {
	return s.add(&Mount{
		kind: "answer by function", maxCalls: unlimited,
		answer: func(_ int, r *Request) Response { return answer(r) },
	})
}

// Route answers every request with this method and exactly this path, such as
// "GET" and "/v1/models". It takes calls as well as other requests.
func (s *Server) Route(method, path string, resp Response) *Mount {
	return s.add(&Mount{
		kind: "route " + method + " " + path, maxCalls: unlimited, route: true,
		match: func(r *Request) bool { return r.Method == method && r.Path == path },
	}, resp)
}

// add mounts m, which answers with the responses in turn unless it has a
// function of its own. It is called by the exported method that the test calls.
func (s *Server) add(m *Mount, resps ...Response) *Mount {
	m.server = s
	if _, file, line, ok := runtime.Caller(2); ok {
		m.where = fmt.Sprintf("%s:%d", filepath.Base(file), line)
	}
	for i := range resps {
		if err := resps[i].check(); err != nil {
			s.failf("%s mounted at %s: response %d: %v", m.kind, m.where, i+1, err)
		}
	}
	if m.answer == nil {
		resps = slices.Clone(resps)
		m.answer = func(n int, _ *Request) Response {
			if len(resps) == 0 {
				return Response{}
			}
			return resps[n%len(resps)]
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mounts = append(s.mounts, m)
	return m
}

// Times expects exactly n calls. Once they were made, further ones go to the
// mounts after this one, or fail the test.
func (m *Mount) Times(n int) *Mount { return m.expect(n, n) }

// AtLeast expects n calls or more.
func (m *Mount) AtLeast(n int) *Mount { return m.expect(n, unlimited) }

func (m *Mount) expect(minCalls, maxCalls int) *Mount {
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	m.minCalls, m.maxCalls = minCalls, maxCalls
	return m
}

// Calls returns how many requests the mount has taken.
func (m *Mount) Calls() int {
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	return m.calls
}

// Requests returns the requests that the mount has taken, in their order.
func (m *Mount) Requests() []*Request {
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	return slices.Clone(m.requests)
}

// matches reports whether the mount is for requests like r.
func (m *Mount) matches(r *Request) bool {
	if !r.call() && !m.route {
		return false
	}
	return m.match == nil || m.match(r)
}

// describe tells what the mount is and how far it got. The server's mu is held.
func (m *Mount) describe() string {
	return fmt.Sprintf("%s mounted at %s: got %s; want %s", m.kind, m.where, counted(m.calls), m.want())
}

func (m *Mount) want() string {
	switch {
	case m.maxCalls != unlimited:
		return fmt.Sprintf("exactly %d", m.maxCalls)
	case m.minCalls > 0:
		return fmt.Sprintf("at least %d", m.minCalls)
	}
	return "any number"
}

func counted(calls int) string {
	if calls == 1 {
		return "1 call"
	}
	return fmt.Sprintf("%d calls", calls)
}
