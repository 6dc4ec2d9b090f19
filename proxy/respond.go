package proxy

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// failed answers a request that got no response. It is ReverseProxy's
// ErrorHandler.
func (e *exchange) failed(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNoWebSocket) {
		e.refuseUpgrade(w, "upstream_without_websocket", "codex-proxy: the upstream has no WebSocket here; use HTTP")
		return
	}
	gone := e.upload.broken.Load() || r.Context().Err() != nil && errors.Is(err, context.Canceled)
	if e.watches() {
		func() {
			defer e.contain()
			e.tellFailure(outcome{err: err, gone: gone, at: time.Now()})
		}()
	}
	if gone {
		if e.upload.damaged.Load() && r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close")
		}
		if e.upload.stalled.Load() {
			writeError(w, http.StatusRequestTimeout, "request_stalled", "codex-proxy: the request stopped before its end")
			return
		}
		// Mostly nobody is there to read an answer; 499 is what others log.
		writeError(w, 499, "request_broken_off", "codex-proxy: the request broke off before its end")
		return
	}
	e.h.failures.Add(1)
	status, code := http.StatusBadGateway, "upstream_unreachable"
	var timeout net.Error
	switch {
	case errors.Is(err, errLoop):
		e.h.loops.Add(1)
		status, code = http.StatusLoopDetected, "proxy_loop"
	case errors.Is(err, errBadSwitch):
		code = "upstream_switched"
	case errors.As(err, &timeout) && timeout.Timeout():
		status, code = http.StatusGatewayTimeout, "upstream_timeout"
	}
	e.h.cfg.Logger.WarnContext(r.Context(), "upstream failed", slog.String("code", code), slog.String("error", safeError(err)))
	writeError(w, status, code, "codex-proxy: "+safeError(err))
}

// tellFailure records a request, or a handshake, that got no response.
func (e *exchange) tellFailure(o outcome) {
	if e.socket {
		e.tellConnect(o)
		return
	}
	e.tell(o)
}

// safeError is err's text for people and records. The transport's errors name
// hosts and addresses, never a whole URL.
func safeError(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the upstream closed the connection before it answered"
	}
	return limited(err.Error())
}
