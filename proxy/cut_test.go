package proxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/proxy"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestWhatIsLookedAtInPartIsCounted has a stream with an event past the limit
// that ends in the middle of another.
func TestWhatIsLookedAtInPartIsCounted(t *testing.T) {
	upstream := responsestest.NewServer(t)
	upstream.Once(responsestest.Stream(
		responsestest.Created("r1"), responsestest.TextDelta(strings.Repeat("x", 5000)), responsestest.Raw("data: {"),
	))
	base, _ := url.Parse(upstream.BaseURL())
	handler, err := proxy.New(proxy.Config{BaseURL: base, Recorder: &journal{}, MaxEventBytes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	response := post(t, server.URL+"/v1/responses", ask, http.Header{})
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if stats := handler.Stats(); stats.CutEvents != 1 || stats.HalfEvents != 1 {
		t.Errorf("Stats() = %+v; want 1 cut event and 1 half event", stats)
	}
}
