package console

import (
	"encoding/json"
	"net/http"
	"sync"
)

// Health answers whether the proxy is alive and whether to send it traffic. The
// zero Health is alive and not ready, as it is starting. It is safe for
// concurrent use.
type Health struct {
	mu     sync.Mutex
	ready  bool
	reason string
}

// SetReady says whether the proxy takes traffic, and why it does not: a reason
// such as "draining", which anybody may read.
func (h *Health) SetReady(ready bool, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready, h.reason = ready, reason
}

// healthReply is the body of both endpoints.
type healthReply struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// Healthz serves /healthz: 200 while the process serves at all.
func (h *Health) Healthz(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, healthReply{Status: "ok"})
}

// Readyz serves /readyz: 200 while the proxy takes traffic, else 503 with the
// reason.
func (h *Health) Readyz(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	ready, reason := h.ready, h.reason
	h.mu.Unlock()
	if ready {
		reply(w, http.StatusOK, healthReply{Status: "ready"})
		return
	}
	if reason == "" {
		reason = "starting"
	}
	reply(w, http.StatusServiceUnavailable, healthReply{Status: "not ready", Reason: reason})
}

func reply(w http.ResponseWriter, status int, body healthReply) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // The client is gone if this fails.
}
