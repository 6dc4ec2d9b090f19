package responsestest

import (
	"fmt"
	"strings"
)

const (
	// maxFailures bounds the failures that are told one by one: an agent that
	// retries would fill the log.
	maxFailures = 20
	// maxListed bounds the requests and mounts listed in one failure.
	maxListed = 20
)

// failf records a failure and tells the test.
func (s *Server) failf(format string, args ...any) {
	err := fmt.Errorf("responsestest: "+format, args...)
	s.mu.Lock()
	told := len(s.failures) < maxFailures
	if told {
		s.failures = append(s.failures, err)
	} else {
		s.unsaid++
	}
	s.mu.Unlock()
	if told && s.opts.TB != nil {
		s.opts.TB.Errorf("%v", err)
	}
}

// verify reports mounts that were called too seldom, after the last handler.
func (s *Server) verify() {
	s.mu.Lock()
	var short []string
	for _, m := range s.mounts {
		if m.calls < m.minCalls {
			short = append(short, m.describe())
		}
	}
	arrived := s.listArrived()
	unsaid := s.unsaid
	s.mu.Unlock()
	for _, problem := range short {
		s.failf("%s%s", problem, arrived)
	}
	if unsaid > 0 && s.opts.TB != nil {
		s.opts.TB.Errorf("responsestest: and %d more failures", unsaid)
	}
}

// unexpected reports a call that no mount took and returns the message.
func (s *Server) unexpected(r *Request) string {
	s.mu.Lock()
	var b strings.Builder
	fmt.Fprintf(&b, "unexpected call %d: %s", len(s.calls), r)
	if len(s.mounts) == 0 {
		b.WriteString("; nothing is mounted")
	}
	for i, m := range s.mounts {
		if i == maxListed {
			fmt.Fprintf(&b, "\n\tand %d more", len(s.mounts)-i)
			break
		}
		b.WriteString("\n\t" + m.describe())
	}
	s.mu.Unlock()
	s.failf("%s", b.String())
	return b.String()
}

// listArrived lists what came in. The caller holds mu.
func (s *Server) listArrived() string {
	var b strings.Builder
	list := func(title string, requests []*Request) {
		for i, r := range requests {
			if i == maxListed {
				fmt.Fprintf(&b, "\n\tand %d more", len(requests)-i)
				return
			}
			fmt.Fprintf(&b, "\n\t%s %d: %s", title, i+1, r)
		}
	}
	list("call", s.calls)
	list("other request", s.others)
	list("upgrade", s.upgrades)
	if b.Len() == 0 {
		return "; nothing arrived"
	}
	return "; arrived:" + b.String()
}
