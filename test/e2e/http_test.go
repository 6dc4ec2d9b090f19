package e2e_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

// get asks for url and returns the status and the body.
func get(ctx context.Context, t *testing.T, url string) (status int, body string) {
	t.Helper()
	return do(ctx, t, http.MethodGet, url, nil, "")
}

// do sends a request on a connection of its own and returns the status and the body.
func do(ctx context.Context, t *testing.T, method, url string, header http.Header, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		request.Header = header.Clone()
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: read body: %v", method, url, err)
	}
	return response.StatusCode, string(read)
}
