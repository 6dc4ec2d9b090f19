package proxy

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
)

// upgrades reports whether a request asks for a WebSocket (RFC 6455 §4.1).
func upgrades(r *http.Request) bool {
	return httpguts.HeaderValuesContainsToken(r.Header["Connection"], "upgrade") &&
		strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// keepUpgrade leaves of an upgrade in a request to the upstream a WebSocket's alone. A proxy may do that (RFC 9110 §7.8), and
// in a tunnel of another protocol, such as HTTP/2 without TLS, requests would pass that nobody watches or guards.
func keepUpgrade(in *http.Request, out http.Header) {
	if !upgrades(in) {
		out.Del("Upgrade")
		out.Del("Connection")
		out.Del("Http2-Settings")
	}
}

// errBadSwitch says that the upstream switches to what nobody asked for.
var errBadSwitch = errors.New("the upstream switched to a protocol that was not asked for")

// switched returns an error unless a response with status 101 makes the tunnel that was asked for.
func (e *exchange) switched(response *http.Response) error {
	_, tunnel := response.Body.(io.ReadWriteCloser)
	if tunnel && upgrades(e.in) && strings.EqualFold(response.Header.Get("Upgrade"), "websocket") {
		return nil
	}
	return errBadSwitch
}

// errNoWebSocket says that the upstream answered a handshake as if there were
// nothing to upgrade to.
var errNoWebSocket = errors.New("the upstream has no WebSocket")

// refuseUpgrade answers a handshake with 426. Codex takes that as word to speak
// HTTP from now on; any other refusal it tries again for seconds.
func (e *exchange) refuseUpgrade(w http.ResponseWriter, code, message string) {
	if e.watches() {
		func() {
			defer e.contain()
			e.tellConnect(outcome{status: http.StatusUpgradeRequired, at: time.Now()})
		}()
	}
	w.Header().Set("Upgrade", "HTTP/1.1")
	w.Header().Set("Connection", "Upgrade")
	writeError(w, http.StatusUpgradeRequired, code, message)
}

// lacksWebSocket reports whether a status says that there is no WebSocket at
// this place, rather than that this caller may not have one now.
func lacksWebSocket(status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	default:
		return status >= 200 && status <= 299
	}
}

// connected puts a tap into the connection of a WebSocket that was made.
func (e *exchange) connected(response *http.Response) {
	conn, ok := response.Body.(io.ReadWriteCloser)
	if !e.socket || !e.watches() || !ok {
		return
	}
	defer e.contain()
	e.h.at("upgrade")
	made := e.connect(outcome{header: response.Header, status: response.StatusCode, at: time.Now()})
	response.Body = e.tapped(conn, response.Header, made)
	e.tunnel = true
}

// tellConnect records the codex.websocket_connect of a refused handshake.
func (e *exchange) tellConnect(o outcome) { e.recorder.Record(e.connect(o)) }

// connect returns a codex.websocket_connect.
func (e *exchange) connect(o outcome) events.Record {
	scope := session.Identify(e.in.Header.Get, &responses.Request{}, e.h.cfg.Resource, e.id)
	scope.RequestID = requestID(o.header)
	_, after := e.h.cfg.Sessions.Attempt(session.Call{
		Scope: scope, Endpoint: "websocket", Auth: credentialSum(e.in.Header), Arrived: e.arrived, Answered: o.at, Status: o.status,
	})
	event := webSocketConnect(apiRequest(e.in, e.endpoint, o))
	event.DurationMS = events.Milliseconds(o.at.Sub(e.arrived))
	event.AfterUnauth = events.Some(after)
	return events.Record{Event: event, Scope: scope, Time: o.at, ID: e.id + "-0"}
}

// webSocketConnect makes the event of a handshake from that of a request.
func webSocketConnect(request *events.APIRequest) *events.WebSocketConnect {
	event := &events.WebSocketConnect{
		StatusCode: request.StatusCode, CFRay: request.CFRay, HeaderSent: request.HeaderSent, HeaderName: request.HeaderName,
		Endpoint: request.Endpoint, Reused: events.Some(false), Reauth: events.Some(false), ClientGone: request.ClientGone,
		RateLimits: request.RateLimits,
	}
	if event.Success = request.StatusCode.Value == http.StatusSwitchingProtocols; event.Success {
		return event
	}
	event.ErrorMessage, event.ErrRequestID, event.ErrCFRay = request.ErrorMessage, request.ErrRequestID, request.ErrCFRay
	event.AuthError, event.AuthCode = request.AuthError, request.AuthCode
	return event
}
