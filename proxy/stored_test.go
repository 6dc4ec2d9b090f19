package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// spent returns the records of a journal that tell tokens, and their ids.
func (j *journal) spent() (lines, ids []string) {
	for _, r := range j.all() {
		if event, ok := r.Event.(*events.SSEEvent); ok && event.Usage != nil {
			lines, ids = append(lines, r.Scope.ResponseID+" "+event.Summary()), append(ids, r.ID)
		}
	}
	return lines, ids
}

// TestStoredResponseIsChargedOnce reads responses again and again, in every way.
func TestStoredResponseIsChargedOnce(t *testing.T) {
	usage := responsestest.Usage{Input: 5, Output: 7}
	whole := []responsestest.Event{responsestest.Created("r1"), responsestest.TextDelta("hi"), responsestest.CompletedWithTokens("r1", usage)}
	upstream := responsestest.NewServer(t)
	upstream.Once(responsestest.Response{Events: whole[:2], Abort: responsestest.AbortStream})
	path := "/v1/responses/r1"
	upstream.Route(http.MethodGet, path, responsestest.Stream(whole[2:]...)).Times(2)
	upstream.Route(http.MethodGet, path, responsestest.CompletedJSON("r1", usage)).Times(2)
	server, records := start(t, upstream.BaseURL())
	broken := post(t, server.URL+"/v1/responses", `{"model":"m","input":"hi","background":true,"stream":true}`, codexHeader)
	if _, err := io.Copy(io.Discard, broken.Body); err == nil {
		t.Error("the stream ended well; want it cut")
	}
	for range 2 {
		get(t, server.URL+path+"?stream=true&starting_after=1", codexHeader)
	}
	for range 2 {
		get(t, server.URL+path, codexHeader)
	}
	server.Close()
	lines, _ := records.spent()
	if diff := cmp.Diff([]string{"r1 response.completed: 5 tokens in, 7 out"}, lines); diff != "" {
		t.Errorf("records with tokens (-want +got):\n%s", diff)
	}
}

// A proxy that knows nothing of a background response tells it under the id that
// any other would.
func TestStoredResponseOfAnotherProxy(t *testing.T) {
	const failed = `{"id":"r1","object":"response","status":"failed","background":true,"error":{"message":"no"},"usage":{"input_tokens":5,"output_tokens":7}}`
	upstream := responsestest.NewServer(t)
	upstream.Route(http.MethodGet, "/v1/responses/r1", responsestest.Response{
		Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(failed),
	})
	for range 2 {
		server, records := start(t, upstream.BaseURL())
		for range 2 {
			get(t, server.URL+"/v1/responses/r1", codexHeader)
		}
		server.Close()
		lines, ids := records.spent()
		if len(lines) != 1 || !strings.HasSuffix(lines[0], "response.failed: failed") || ids[0] != events.TokensID("r1") {
			t.Errorf("records with tokens = %q, ids %q; want the failure with the id of the tokens", lines, ids)
		}
	}
}

// What was made over a WebSocket can be read over HTTP.
func TestStoredResponseOfAWebSocket(t *testing.T) {
	p := startSocket(t, responsestest.WebSocketPlain, websocket.CompressionDisabled)
	usage := responsestest.Usage{Input: 5, Output: 7}
	p.mock.Sequence(
		responsestest.Stream(responsestest.Created("r1"), responsestest.CompletedWithTokens("r1", usage)),
		responsestest.Response{Events: []responsestest.Event{responsestest.Created("r2")}, Abort: responsestest.AbortStream},
	)
	for _, id := range []string{"r1", "r2"} {
		p.mock.Route(http.MethodGet, "/v1/responses/"+id, responsestest.CompletedJSON(id, usage))
	}
	p.ask(t, firstPrompt, 2)
	p.ask(t, toolOutput, 1)
	if _, _, err := p.conn.Read(t.Context()); err == nil {
		t.Error("Read() of a cut connection = nil; want an error")
	}
	p.conn.CloseNow()
	for range 2 {
		get(t, p.url+"/v1/responses/r1", codexHeader)
		get(t, p.url+"/v1/responses/r2", codexHeader)
	}
	p.close()
	lines, _ := p.records.spent()
	if diff := cmp.Diff([]string{"r1 response.completed: 5 tokens in, 7 out", "r2 response.completed: 5 tokens in, 7 out"}, lines); diff != "" {
		t.Errorf("records with tokens (-want +got):\n%s", diff)
	}
}
