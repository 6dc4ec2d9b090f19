package main

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/codex-proxy/codex-proxy/internal/console"
	"github.com/codex-proxy/codex-proxy/internal/report"
)

// ownPrefix is where the proxy's own routes are. Nothing below it is ever forwarded.
const ownPrefix = "/codex-proxy"

// routes returns the handler of the listener. The health probes pass without the guard, since those who ask may know
// the proxy by any name; they tell nothing worth guarding.
func (s *service) routes() http.Handler {
	router := chi.NewRouter()
	guarded := router.With(s.guard.Wrap)
	router.Handle("/healthz", reading(http.HandlerFunc(s.health.Healthz)))
	router.Handle("/readyz", reading(http.HandlerFunc(s.health.Readyz)))
	guarded.Handle("/metrics", reading(s.metrics))
	guarded.Handle(report.EventsPath, s.reports)
	guarded.Handle(report.LogsPath, s.reports.Logs())
	guarded.Handle(report.OpenAPIPath, s.reports.OpenAPI())
	guarded.Handle(console.LivePath, s.hub)
	guarded.Handle(probePath, reading(&s.probe))
	guarded.Handle(ledgerPath, reading(http.HandlerFunc(s.serveLedger)))
	// Handle knows the usual methods only; whatever else a client sends is none of the router's business.
	rest := s.guard.Wrap(forward(s.proxy)).ServeHTTP
	router.NotFound(rest)
	router.MethodNotAllowed(rest)
	return router
}

// reading answers GET and HEAD by next and refuses every other method.
func reading(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, readOnly)
	})
}

// forward hands everything but the proxy's own paths to next.
func forward(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case r.Method == http.MethodConnect:
			refuse(w, http.StatusMethodNotAllowed, "codex-proxy is no forward proxy; give its URL to the agent as base URL")
		case path == ownPrefix, strings.HasPrefix(path, ownPrefix+"/"):
			refuse(w, http.StatusNotFound, "no such route of codex-proxy")
		case path == "/healthz", path == "/readyz", path == "/metrics":
			// A method or a spelling that the router does not know.
			refuse(w, http.StatusMethodNotAllowed, readOnly)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

const readOnly = "this route of codex-proxy is asked with GET or HEAD"

// refuse answers with an error that is plainly the proxy's own.
func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"error":"` + text + `"}` + "\n"))
}
