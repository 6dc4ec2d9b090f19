package proxy_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/proxy"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// journal is a Recorder that keeps everything.
type journal struct {
	settle func(context.Context) error // waits until the proxy has told it everything

	mu      sync.Mutex
	records []events.Record
}

func (j *journal) Record(r events.Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = append(j.records, r)
}

func (j *journal) all() []events.Record {
	_ = j.settle(context.Background()) // It fails with its context alone.
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]events.Record(nil), j.records...)
}

// ended returns the records that tell how a stream ended.
func (j *journal) ended() []*events.SSEEvent {
	var ends []*events.SSEEvent
	for _, r := range j.all() {
		if event, ok := r.Event.(*events.SSEEvent); ok && event.EndedBy != "" {
			ends = append(ends, event)
		}
	}
	return ends
}

func (j *journal) requests() []*events.APIRequest {
	var requests []*events.APIRequest
	for _, r := range j.all() {
		if event, ok := r.Event.(*events.APIRequest); ok {
			requests = append(requests, event)
		}
	}
	return requests
}

// start runs a proxy in front of base. Closing waits until every exchange is
// over, so a test may read the journal after it.
func start(t *testing.T, base string) (*httptest.Server, *journal) {
	t.Helper()
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	records := &journal{}
	cfg := proxy.Config{
		BaseURL:  target,
		Recorder: records,
		Resource: events.Resource{ServiceName: "codex-cli", Environment: "test"},
	}
	handler, err := proxy.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	records.settle = handler.Settle
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.Close()
		handler.Close()
	})
	return server, records
}

// roundTrip sends a request as it is, over a connection of its own.
func roundTrip(t *testing.T, request *http.Request) (*http.Response, error) {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return transport.RoundTrip(request)
}

// post returns the response to a POST; its body is closed when the test ends.
func post(t *testing.T, target, body string, header http.Header) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(request.Header, header)
	response, err := roundTrip(t, request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

const ask = `{"model":"gpt-5-codex","stream":true,"input":[{"type":"message","role":"user"}],"prompt_cache_key":"conv-1"}`

var codexHeader = http.Header{
	"User-Agent":      {"codex_exec/0.45.0 (Debian 12.0.0; x86_64) xterm"},
	"Originator":      {"codex_exec"},
	"Conversation_id": {"conv-1"},
	"Authorization":   {"Bearer sk-canary"},
}

func TestStreamIsForwardedAndTold(t *testing.T) {
	upstream := responsestest.NewServer(t)
	stream := []responsestest.Event{
		responsestest.Created("resp_1"),
		responsestest.TextDelta("hi"),
		responsestest.Message("msg_1", "hi"),
		responsestest.CompletedWithTokens("resp_1", responsestest.Usage{Input: 1200, Cached: 1024, Output: 42, Reasoning: 10, Total: 1242}),
	}
	upstream.Once(responsestest.Stream(stream...))
	server, records := start(t, upstream.BaseURL())

	response := post(t, server.URL+"/v1/responses", ask, codexHeader)
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want := responsestest.SSE(stream...); !bytes.Equal(body, want) {
		t.Errorf("body = %q; want %q", body, want)
	}
	if got := string(upstream.Requests()[0].Body); got != ask {
		t.Errorf("upstream got %q; want %q", got, ask)
	}
	server.Close()

	requests := records.requests()
	if len(requests) != 1 || requests[0].StatusCode.Value != 200 || requests[0].CFRay == "" || requests[0].Attempt != 0 {
		t.Fatalf("api_request = %+v; want one with status 200, a cf_ray and attempt 0", requests)
	}
	all := records.all()
	if got := all[0].Scope; got.ConversationID != "conv-1" || got.Model != "gpt-5-codex" || got.AppVersion != "0.45.0" || got.TerminalType != "xterm" || got.AuthMode != "" {
		t.Errorf("scope = %+v", got)
	}
	ends := records.ended()
	if len(all) != 6 || len(ends) != 1 {
		t.Fatalf("%d records, %d ends; want 6 and 1", len(all), len(ends))
	}
	if end := ends[0]; end.Usage == nil || end.Input != 1200 || end.Cached.Value != 1024 || end.Total != 1242 || !end.DurationMS.Set {
		t.Errorf("completion = %+v; want duration and tokens", end)
	}
	if got := all[5].Scope.ResponseID; got != "resp_1" {
		t.Errorf("response.id = %q; want resp_1", got)
	}
}

func TestCutStreamStaysCut(t *testing.T) {
	upstream := responsestest.NewServer(t)
	upstream.Once(responsestest.Response{
		Events: []responsestest.Event{responsestest.Created("resp_1"), responsestest.TextDelta("hi")},
		Abort:  responsestest.AbortStream,
	})
	server, records := start(t, upstream.BaseURL())
	response := post(t, server.URL+"/v1/responses", ask, codexHeader)
	if _, err := io.ReadAll(response.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("reading a cut stream = %v; want unexpected EOF", err)
	}
	server.Close()
	ends := records.ended()
	if len(ends) != 1 || ends[0].EndedBy != "upstream" || ends[0].ErrorMessage != "Transport error: error decoding response body" {
		t.Errorf("ends = %+v; want one by upstream with Codex 0.45's text", ends)
	}
}

func TestManyStreamsAreNotCut(t *testing.T) {
	// golang/go#40747 needs more than one core to show, and luck: TestResponseBeforeTheRequestHasEnded needs neither.
	upstream := responsestest.NewServer(t)
	var stream []responsestest.Event
	for range 20 {
		stream = append(stream, responsestest.TextDelta("some words"))
	}
	stream = append(stream, responsestest.Completed("resp_1"))
	upstream.Any(responsestest.Stream(stream...))
	server, _ := start(t, upstream.BaseURL())
	want := responsestest.SSE(stream...)
	body := `{"model":"m","stream":true,"input":"` + strings.Repeat("x", 64<<10) + `"}`
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 60 {
				response := post(t, server.URL+"/v1/responses", body, nil)
				if got, err := io.ReadAll(response.Body); err != nil || !bytes.Equal(got, want) {
					t.Errorf("stream = %d bytes, %v; want %d", len(got), err, len(want))
					return
				}
			}
		})
	}
	group.Wait()
}

func TestClientGone(t *testing.T) {
	upstream := responsestest.NewServer(t)
	gate := responsestest.NewGate()
	upstream.Once(responsestest.Stream(responsestest.Created("resp_1"), gate.Stop(), responsestest.Completed("resp_1")))
	server, records := start(t, upstream.BaseURL())
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/v1/responses", strings.NewReader(ask))
	if err != nil {
		t.Fatal(err)
	}
	response, err := roundTrip(t, request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := response.Body.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	cancel()
	server.Close()
	ends := records.ended()
	if len(ends) != 1 || ends[0].EndedBy != "client" || !ends[0].ClientGone {
		t.Errorf("ends = %+v; want one by the client", ends)
	}
	gate.Open()
}

func TestNothingIsAdded(t *testing.T) {
	got := make(chan *http.Request, 1)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r
		w.Header()["Date"] = nil
		w.Header()["Content-Type"] = nil
		w.Header().Set("X-Upstream", "yes")
		_, _ = io.WriteString(w, "<html>")
	}))
	defer upstream.Close()
	server, _ := start(t, upstream.URL+"/base/api")

	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "PROPFIND /v1/a%2Fb//c?x=%zz&y=1;2 HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 10.1.1.1\r\nForwarded: for=10.1.1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	r := <-got
	if r.Method != "PROPFIND" || r.RequestURI != "/base/api/a%2Fb//c?x=%zz&y=1;2" {
		t.Errorf("upstream got %s %s", r.Method, r.RequestURI)
	}
	want := http.Header{"X-Forwarded-For": {"10.1.1.1"}, "Forwarded": {"for=10.1.1.1"}, "Content-Length": {"2"}}
	if diff := cmp.Diff(want, r.Header); diff != "" {
		t.Errorf("upstream got other headers (-sent +got):\n%s", diff)
	}
	if base, _ := url.Parse(upstream.URL); r.Host != base.Host {
		t.Errorf("upstream got Host %s; want its own, %s", r.Host, base.Host)
	}
	for _, added := range []string{"Date:", "Content-Type:"} {
		if bytes.Contains(answer, []byte(added)) {
			t.Errorf("answer %q has an added %s", answer, added)
		}
	}
}

func TestUpstreamUnreachable(t *testing.T) {
	// Nothing listens there; a port just freed may be given to the proxy itself.
	server, records := start(t, "http://127.0.0.1:1/v1")
	response := post(t, server.URL+"/v1/responses?key=sk-canary", ask, codexHeader)
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusBadGateway || !bytes.Contains(body, []byte(`"code":"upstream_unreachable"`)) || !bytes.Contains(body, []byte("connection refused")) {
		t.Errorf("answer = %d %s; want a 502 that says what failed", response.StatusCode, body)
	}
	server.Close()
	requests := records.requests()
	if len(requests) != 1 || requests[0].StatusCode.Set || !strings.Contains(requests[0].ErrorMessage, "connection refused") {
		t.Errorf("api_request = %+v; want one without a status", requests)
	}
	if strings.Contains(requests[0].ErrorMessage, "canary") || bytes.Contains(body, []byte("canary")) {
		t.Error("a credential was told")
	}
}

func TestLoopIsRefused(t *testing.T) {
	var self net.Addr
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	self = listener.Addr()
	base, _ := url.Parse("http://" + self.String() + "/v1")
	handler, err := proxy.New(proxy.Config{BaseURL: base, IsSelf: func(a net.Addr) bool { return a.String() == self.String() }})
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler}}
	server.Start()
	defer server.Close()
	response := post(t, server.URL+"/v1/responses", ask, nil)
	if response.StatusCode != http.StatusLoopDetected || handler.Stats().Loops != 1 {
		t.Errorf("status = %d, loops = %d; want 508 and 1", response.StatusCode, handler.Stats().Loops)
	}
}

func TestTrailersBothWays(t *testing.T) {
	got := make(chan http.Header, 1)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r.Trailer
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("X-Sum", "42")
	}))
	defer upstream.Close()
	server, _ := start(t, upstream.URL+"/v1")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/files", io.MultiReader(strings.NewReader("x")))
	if err != nil {
		t.Fatal(err)
	}
	request.Trailer = http.Header{"X-Check": {"7"}}
	response, err := roundTrip(t, request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	if trailer := <-got; trailer.Get("X-Check") != "7" {
		t.Errorf("upstream got trailer %v; want X-Check: 7", trailer)
	}
	if response.Trailer.Get("X-Sum") != "42" {
		t.Errorf("client got trailer %v; want X-Sum: 42", response.Trailer)
	}
}

func TestDocumentGivesTokens(t *testing.T) {
	upstream := responsestest.NewServer(t)
	upstream.Once(responsestest.CompletedJSON("resp_9", responsestest.Usage{Input: 7, Output: 3, Total: 10}))
	server, records := start(t, upstream.BaseURL())
	response := post(t, server.URL+"/v1/responses", `{"model":"m","stream":false}`, nil)
	_, _ = io.Copy(io.Discard, response.Body)
	server.Close()
	ends := records.ended()
	if len(ends) != 1 || ends[0].Usage == nil || ends[0].Total != 10 {
		t.Errorf("ends = %+v; want one with 10 tokens", ends)
	}
}
