package proxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/proxy"
)

var handshake = http.Header{
	"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
	"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
}

func get(t *testing.T, target string, header http.Header) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header.Clone()
	response, err := roundTrip(t, request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// TestUpgradeRefusals has upstreams that do not upgrade: 426 where there is no
// WebSocket, and their own answer where this caller may not have one.
func TestUpgradeRefusals(t *testing.T) {
	var status int
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "upstream's words")
	}))
	defer upstream.Close()
	server, _ := start(t, upstream.URL+"/v1")
	for answered, want := range map[int]int{200: 426, 404: 426, 405: 426, 501: 426, 401: 401, 403: 403, 429: 429, 500: 500, 503: 503, 426: 426} {
		status = answered
		response, body := get(t, server.URL+"/v1/responses", handshake)
		if response.StatusCode != want {
			t.Errorf("handshake answered %d comes back as %d; want %d", answered, response.StatusCode, want)
		}
		own := answered != want
		if got := !strings.Contains(body, "upstream's words"); got != own {
			t.Errorf("handshake answered %d comes back with %q; own words = %t", answered, body, own)
		}
	}
	status = http.StatusNotFound
	if response, _ := get(t, server.URL+"/v1/realtime", handshake); response.StatusCode != http.StatusNotFound {
		t.Errorf("handshake elsewhere = %d; want the upstream's 404", response.StatusCode)
	}
	if response, _ := get(t, server.URL+"/v1/responses", http.Header{}); response.StatusCode != http.StatusNotFound {
		t.Errorf("GET without an upgrade = %d; want the upstream's 404", response.StatusCode)
	}
}

func TestWebSocketSwitchedOff(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the upstream was asked")
	}))
	defer upstream.Close()
	base, _ := url.Parse(upstream.URL + "/v1")
	handler, err := proxy.New(proxy.Config{BaseURL: base, NoWebSocket: true})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	response, body := get(t, server.URL+"/v1/responses", handshake)
	if response.StatusCode != http.StatusUpgradeRequired || response.Header.Get("Upgrade") == "" || !strings.Contains(body, "websocket_off") {
		t.Errorf("handshake = %d %v %s; want 426 and why", response.StatusCode, response.Header, body)
	}
}

func TestChatGPTLoginsHaveTheirUpstream(t *testing.T) {
	place := func(name string) *url.URL {
		upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, name+r.RequestURI)
		}))
		t.Cleanup(upstream.Close)
		base, _ := url.Parse(upstream.URL + "/" + name)
		return base
	}
	handler, err := proxy.New(proxy.Config{BaseURL: place("api"), ChatGPTBaseURL: place("chatgpt")})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	for _, test := range []struct {
		header http.Header
		want   string
	}{
		{http.Header{}, "api/api/models?x"},
		{http.Header{"Chatgpt-Account-Id": {"acct"}}, "chatgpt/chatgpt/models?x"},
	} {
		if _, body := get(t, server.URL+"/v1/models?x", test.header); body != test.want {
			t.Errorf("with %v asked for %s; want %s", test.header, body, test.want)
		}
	}
}
