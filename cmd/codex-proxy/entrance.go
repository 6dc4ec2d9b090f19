package main

import (
	"net/http"
	"time"
)

// entrance is the handler of the listener. What is forwarded does not pass the router: each frame below a stream is memory
// that the stream holds.
type entrance struct {
	own, traffic http.Handler
	patience     time.Duration
}

func (s *service) entrance() *entrance {
	return &entrance{own: s.routes(), traffic: s.guard.Wrap(s.proxy), patience: s.limits.IdleTimeout}
}

// ServeHTTP implements http.Handler.
func (e *entrance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Body != http.NoBody {
		e.limit(w)
		if r.ProtoMajor > 1 {
			defer unlimit(w)
		}
	}
	if isOwn(r.URL.Path) || r.Method == http.MethodConnect {
		e.own.ServeHTTP(w, r)
		return
	}
	e.traffic.ServeHTTP(w, r)
}

// limit limits the time the body may take as a whole. The proxy lifts that from what it forwards, and limits what goes by
// without a byte instead.
func (e *entrance) limit(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(e.patience))
}

// unlimit takes the limit back from a stream of HTTP/2. One that was reset before it was limited has a timer all the same,
// which would keep it for as long.
func unlimit(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
}
