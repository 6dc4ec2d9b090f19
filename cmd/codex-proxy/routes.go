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

// routes returns the handler of what is the proxy's own. The health probes pass without the guard, since those who ask may know
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
	// A spelling or a method that the router does not know.
	unknown := s.guard.Wrap(http.HandlerFunc(refuseOwn)).ServeHTTP
	router.NotFound(unknown)
	router.MethodNotAllowed(unknown)
	return router
}

// isOwn reports whether a path is one of the proxy's own.
func isOwn(path string) bool {
	switch path {
	case ownPrefix, "/healthz", "/readyz", "/metrics":
		return true
	default:
		return strings.HasPrefix(path, ownPrefix+"/")
	}
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

// refuseOwn refuses what is none of the proxy's own routes, or not asked as such.
func refuseOwn(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case r.Method == http.MethodConnect:
		refuse(w, http.StatusMethodNotAllowed, "codex-proxy is no forward proxy; give its URL to the agent as base URL")
	case path == ownPrefix, strings.HasPrefix(path, ownPrefix+"/"):
		refuse(w, http.StatusNotFound, "no such route of codex-proxy")
	default:
		refuse(w, http.StatusMethodNotAllowed, readOnly)
	}
}

const readOnly = "this route of codex-proxy is asked with GET or HEAD"

// refuse answers with an error that is plainly the proxy's own.
func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"error":"` + text + `"}` + "\n"))
}
