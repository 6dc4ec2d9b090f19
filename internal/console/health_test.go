package console

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHealth(t *testing.T) {
	var h Health
	answer := func(handler http.HandlerFunc) (int, string) {
		w := httptest.NewRecorder()
		handler(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
		return w.Code, w.Body.String()
	}
	tests := []struct {
		name       string
		change     func()
		wantStatus int
		wantBody   string
	}{
		{"at first", func() {}, http.StatusServiceUnavailable, `{"status":"not ready","reason":"starting"}` + "\n"},
		{"serving", func() { h.SetReady(true, "") }, http.StatusOK, `{"status":"ready"}` + "\n"},
		{"draining", func() { h.SetReady(false, "draining") }, http.StatusServiceUnavailable, `{"status":"not ready","reason":"draining"}` + "\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.change()
			if status, body := answer(h.Readyz); status != test.wantStatus || body != test.wantBody {
				t.Errorf("Readyz = %d %s; want %d %s", status, body, test.wantStatus, test.wantBody)
			}
			if status, body := answer(h.Healthz); status != http.StatusOK || body != `{"status":"ok"}`+"\n" {
				t.Errorf("Healthz = %d %s; want 200 ok", status, body)
			}
		})
	}
}
