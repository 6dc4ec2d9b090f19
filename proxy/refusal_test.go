package proxy_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestRefusalTellsItsBody has releases of Codex refused, of which some tell what
// the body of the refusal was.
func TestRefusalTellsItsBody(t *testing.T) {
	small := responsestest.Response{Status: http.StatusNotFound, Body: []byte(`say "no" to sk-canary-0123456789`)}
	big := responsestest.Response{Status: http.StatusNotFound, Body: []byte(strings.Repeat("x", 65<<10)), ChunkBytes: 10 << 10}
	cut := responsestest.Response{Status: http.StatusNotFound, Body: []byte("say"), Abort: responsestest.AbortStream}
	tests := map[string]struct {
		version  string
		response responsestest.Response
		want     string
	}{
		"told":        {"0.80.0", small, `http 404 Not Found: Some("say \"no\" to [CREDENTIAL]")`},
		"too long":    {"0.80.0", big, ""},
		"broken off":  {"0.80.0", cut, ""},
		"before 0.64": {"0.58.0", small, ""},
		"since 0.115": {"0.115.0", small, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			upstream := responsestest.NewServer(t)
			upstream.Once(test.response)
			server, records := start(t, upstream.BaseURL())
			header := maps.Clone(codexHeader)
			header["User-Agent"] = []string{"codex_exec/" + test.version + " (Debian 12.0.0; x86_64) xterm"}
			header["Authorization"] = []string{"Bearer sk-canary-0123456789"}
			response := post(t, server.URL+"/v1/responses", ask, header)
			body, err := io.ReadAll(response.Body)
			if test.response.Abort == 0 && (err != nil || !bytes.Equal(body, test.response.Body)) {
				t.Errorf("body of %d bytes, %v; want the %d of the upstream", len(body), err, len(test.response.Body))
			}
			server.Close()
			requests := records.requests()
			if len(requests) != 1 || requests[0].ErrorMessage != "http 404" || requests[0].Refusal != test.want {
				t.Errorf("told %+v; want one refusal %q", requests, test.want)
			}
		})
	}
}
