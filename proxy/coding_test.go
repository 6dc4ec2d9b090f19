package proxy_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/proxy"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

func zstdOf(t *testing.T, text string) string {
	t.Helper()
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoder.EncodeAll([]byte(text), nil))
}

func gzipOf(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// usage returns the input tokens of the completions that were told.
func (j *journal) usage() []int64 {
	var tokens []int64
	for _, r := range j.all() {
		if event, ok := r.Event.(*events.SSEEvent); ok && event.Usage != nil {
			tokens = append(tokens, event.Input)
		}
	}
	return tokens
}

// TestEncodedBodiesAreReadAndLeftAlone sends compressed requests and gets
// compressed responses: they pass as they are, and tell what plain ones would.
func TestEncodedBodiesAreReadAndLeftAlone(t *testing.T) {
	const prompt = `{"model":"gpt-5-codex","stream":true,"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"hello"}]}]}`
	usage := responsestest.Usage{Input: 12, Output: 3}
	for name, test := range map[string]struct {
		request  string
		coding   string
		response responsestest.Response
	}{
		"zstd request, gzip stream": {zstdOf(t, prompt), "zstd", responsestest.Response{
			Encoding: "gzip", Events: []responsestest.Event{responsestest.Created("r1"), responsestest.CompletedWithTokens("r1", usage)},
		}},
		"gzip request, zstd stream": {gzipOf(t, prompt), "gzip", responsestest.Response{
			Encoding: "zstd", Events: []responsestest.Event{responsestest.Created("r1"), responsestest.CompletedWithTokens("r1", usage)},
		}},
		"gzip document": {zstdOf(t, prompt), "zstd", func() responsestest.Response {
			r := responsestest.CompletedJSON("r1", usage)
			r.Encoding = "gzip"
			return r
		}()},
	} {
		t.Run(name, func(t *testing.T) {
			upstream := responsestest.NewServer(t)
			upstream.Any(test.response).Times(2)
			direct := post(t, upstream.BaseURL()+"/responses", test.request, http.Header{"Content-Encoding": {test.coding}})
			want, err := io.ReadAll(direct.Body)
			if err != nil {
				t.Fatal(err)
			}
			server, handler, records, _ := startLogged(t, upstream.BaseURL())
			response := post(t, server.URL+"/v1/responses", test.request, http.Header{"Content-Encoding": {test.coding}})
			got, err := io.ReadAll(response.Body)
			if err != nil || !bytes.Equal(got, want) || response.Header.Get("Content-Encoding") != test.response.Encoding {
				t.Errorf("got %d bytes in %s, %v; want the %d that the upstream sends", len(got), response.Header.Get("Content-Encoding"), err, len(want))
			}
			server.Close()
			if sent := upstream.Requests()[1]; string(sent.Body) != test.request {
				t.Errorf("the upstream got %d bytes; want the %d that were sent", len(sent.Body), len(test.request))
			}
			if got := records.usage(); len(got) != 1 || got[0] != 12 {
				t.Errorf("tokens told: %d; want 12", got)
			}
			requests := records.requests()
			if len(requests) != 1 || requests[0].RequestBytes.Value != int64(len(test.request)) {
				t.Errorf("requests = %+v; want one of %d bytes", requests, len(test.request))
			}
			if lines := strings.Join(records.lines(), "\n"); !strings.Contains(lines, "codex.user_prompt hello") {
				t.Errorf("records\n%s\nwant the prompt", lines)
			}
			if stats := handler.Stats(); stats.EncodedBodies+stats.UndecodedBodies+stats.MalformedBodies != 0 {
				t.Errorf("Stats() = %+v; want nothing that was not read", stats)
			}
		})
	}
}

// TestUnreadableBodiesAreCounted has bodies that cannot be decoded. They pass,
// nothing is told of their content, and a counter tells of them.
func TestUnreadableBodiesAreCounted(t *testing.T) {
	damaged := gzipOf(t, string(responsestest.SSE(responsestest.Created("r1"), responsestest.Completed("r1"))))
	damaged = damaged[:20] + "\x00\xff\x00\xff" + damaged[24:]
	var coding, body string
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Content-Encoding", coding)
		_, _ = io.WriteString(w, body)
	}))
	defer upstream.Close()
	base, _ := url.Parse(upstream.URL)
	for name, test := range map[string]struct {
		coding, body       string
		request            string
		encoded, undecoded int64
	}{
		"damaged":         {"gzip", damaged, ask, 0, 1},
		"unknown":         {"dcb", "anything", ask, 1, 0},
		"bomb in request": {"identity", "", zstdOf(t, `{"input":"`+strings.Repeat("x", 1<<20)+`"}`), 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			coding, body = test.coding, test.body
			records := &journal{}
			handler, err := proxy.New(proxy.Config{BaseURL: base, Recorder: records, MaxRequestBytes: 1 << 10})
			if err != nil {
				t.Fatal(err)
			}
			records.settle = handler.Settle
			server := httptest.NewServer(handler)
			header := http.Header{}
			if test.request != ask {
				header.Set("Content-Encoding", "zstd")
			}
			response := post(t, server.URL+"/v1/responses", test.request, header)
			if got, err := io.ReadAll(response.Body); err != nil || string(got) != test.body {
				t.Errorf("body = %q, %v; want it as it is", got, err)
			}
			server.Close()
			if stats := handler.Stats(); stats.EncodedBodies != test.encoded || stats.UndecodedBodies != test.undecoded {
				t.Errorf("Stats() = %+v; want %d encoded, %d undecoded", stats, test.encoded, test.undecoded)
			}
			if ends := records.ended(); test.body != "" && len(ends) != 0 {
				t.Errorf("told the ending %+v of a body that nobody could read", ends[0])
			}
			if len(records.requests()) != 1 {
				t.Errorf("%d requests told; want 1", len(records.requests()))
			}
		})
	}
}
