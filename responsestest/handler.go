package responsestest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// handle answers a request.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	s.handlers.Add(1)
	defer s.handlers.Done()
	req := newRequest(r, s.opts.MaxBodyBytes)
	if s.accepts(req) {
		s.serveSocket(w, r, req)
		return
	}
	resp, serial := s.dispatch(req)

	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	defer cancel(nil)
	defer context.AfterFunc(r.Context(), func() { cancel(ErrClientGone) })()
	defer context.AfterFunc(s.ctx, func() { cancel(ErrServerClosed) })()

	p := &player{ctx: ctx, w: w, ctl: http.NewResponseController(w), resp: &resp}
	err := explain(ctx, p.play(serial))
	req.finish(err)
	if err != nil {
		// The only way to leave a body unterminated on every protocol.
		panic(http.ErrAbortHandler)
	}
}

// explain wraps the error of an answer in the reason that [Request.Err] promises.
func explain(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case err == nil || errors.Is(err, ErrAborted) || errors.Is(err, http.ErrContentLength):
		return err
	case cause == nil:
		// A failed write is how the client's leaving shows first.
		cause = ErrClientGone
	case errors.Is(err, cause):
		return err
	}
	return fmt.Errorf("%w: %w", cause, err)
}

// dispatch records the request and finds its answer.
func (s *Server) dispatch(r *Request) (resp Response, serial int64) {
	switch {
	case r.BodyErr != nil:
		return Response{Abort: AbortBeforeHeaders}, s.record(&s.others, r)
	case r.upgrade():
		const hint = "this server does not speak WebSocket, use HTTP"
		return Error(http.StatusUpgradeRequired, "invalid_request_error", "", hint), s.record(&s.upgrades, r)
	}
	list := &s.others
	if r.call() {
		list = &s.calls
	}
	s.mu.Lock()
	mounts := s.mounts
	s.mu.Unlock()
	for _, m := range mounts {
		// The match runs without the lock: it may look at the server.
		if !m.matches(r) {
			continue
		}
		if n, serial, ok := s.take(m, list, r); ok {
			return s.answer(m, n, r), serial
		}
	}
	serial = s.record(list, r)
	if r.call() {
		message := "responsestest: " + s.unexpected(r)
		return Error(http.StatusInternalServerError, "unexpected_request", "", message), serial
	}
	return fallback(r), serial
}

// answer returns a mount's answer to its call n.
func (s *Server) answer(m *Mount, n int, r *Request) Response {
	resp := m.answer(n, r)
	if err := resp.check(); err != nil {
		s.failf("%s mounted at %s: call %d: %v", m.kind, m.where, n+1, err)
		return Error(http.StatusInternalServerError, "invalid_response", "", err.Error())
	}
	return resp
}

// fallback is the harmless answer to a request that is no call.
func fallback(r *Request) Response {
	if r.Method == http.MethodPost && strings.Contains(r.Path, "/analytics/") {
		return jsonBody(http.StatusOK, []byte("{}"), nil)
	}
	message := "no route for " + r.Method + " " + r.Path
	return Error(http.StatusNotFound, "invalid_request_error", "not_found", message)
}
