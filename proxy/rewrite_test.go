package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestPathIsKeptToTheByte sends paths that Go would escape otherwise.
func TestPathIsKeptToTheByte(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.RequestURI)
	}))
	defer upstream.Close()
	server, _ := start(t, upstream.URL+"/base")
	bare, _ := start(t, upstream.URL)
	for sent, want := range map[string]string{
		`/v1/a|b"c?x=|&y=%zz;&`:  `/base/a|b"c?x=|&y=%zz;&`,
		"/v1/a%2Fb%20c//d/../e?": "/base/a%2Fb%20c//d/../e?",
		"/v1/models?":            "/base/models?",
		"/other/{x}":             "/other/{x}",
		"/v1":                    "/base",
	} {
		if got := target(t, server, sent); got != want {
			t.Errorf("GET %s asked upstream for %s; want %s", sent, got, want)
		}
	}
	// Two slashes are no host.
	if got, want := target(t, bare, "/v1//evil.example/a|b"), "//evil.example/a%7Cb"; got != want {
		t.Errorf("GET asked upstream for %s; want %s", got, want)
	}
}

// target sends a GET as it is and returns what it says was asked for.
func target(t *testing.T, server *httptest.Server, path string) string {
	t.Helper()
	conn := dialServer(t, server)
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}
