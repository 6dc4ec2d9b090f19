package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestFollowExplainsRefusals(t *testing.T) {
	answer := func(status int, contentType, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	// A freed port may be given to the next server; nothing listens on this one.
	const gone = "127.0.0.1:1"
	tests := []struct {
		name, url string
		want      []string
	}{
		{"refused", "http://" + gone, []string{"is the proxy running on " + gone}},
		{"forbidden", answer(403, "text/plain", "host not allowed\nmore"), []string{"403", "hosts", "host not allowed"}},
		{"not found", answer(404, "text/plain", ""), []string{"404", "is this a codex-proxy"}},
		{"too many", answer(503, "text/plain", "too many\x1b[31m readers"), []string{"503", `too many\x1b[31m readers`}},
		{"no feed", answer(200, "text/html", "<html>"), []string{"not with a feed", "text/html"}},
		{"no URL", "localhost:8787", []string{"not an http or https URL"}},
		{"secret", strings.Replace(answer(404, "text/plain", ""), "http://", "http://user:hunter2@", 1), []string{"404"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := <-follow(t, FollowConfig{URL: test.url}).done
			if err == nil {
				t.Fatal("Follow() = nil; want an error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Follow() = %v; want it to say %q", err, want)
				}
			}
			if strings.ContainsAny(err.Error(), "\x1b\n") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("Follow() = %q; want neither escapes nor passwords", err)
			}
		})
	}
}
