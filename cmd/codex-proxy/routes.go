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
	router.Get("/healthz", s.health.Healthz)
	router.Get("/readyz", s.health.Readyz)
	guarded := router.With(s.guard.Wrap)
	guarded.Method(http.MethodGet, "/metrics", s.metrics)
	guarded.Handle(report.EventsPath, s.reports)
	guarded.Handle(report.OpenAPIPath, s.reports.OpenAPI())
	guarded.Handle(console.LivePath, s.hub)
	// Handle knows the usual methods only; whatever else a client sends is none of the router's business.
	rest := s.guard.Wrap(forward(s.proxy)).ServeHTTP
	router.NotFound(rest)
	router.MethodNotAllowed(rest)
	return router
}

// forward hands everything but the proxy's own paths to next.
func forward(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != ownPrefix && !strings.HasPrefix(r.URL.Path, ownPrefix+"/") {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"error":"no such route of codex-proxy"}` + "\n"))
	})
}
