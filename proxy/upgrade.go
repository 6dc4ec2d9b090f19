package proxy

import (
	"errors"
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// upgrades reports whether a request asks for a WebSocket (RFC 6455 §4.1).
func upgrades(r *http.Request) bool {
	return httpguts.HeaderValuesContainsToken(r.Header["Connection"], "upgrade") &&
		strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// errNoWebSocket says that the upstream answered a handshake as if there were
// nothing to upgrade to.
var errNoWebSocket = errors.New("the upstream has no WebSocket")

// refuseUpgrade answers a handshake with 426. Codex takes that as word to speak
// HTTP from now on; any other refusal it tries again for seconds.
func refuseUpgrade(w http.ResponseWriter, code, message string) {
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
