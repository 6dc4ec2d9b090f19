package proxy_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/codex-proxy/codex-proxy/internal/faultrelay"
	"github.com/codex-proxy/codex-proxy/proxy"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// hop is where a relay stands.
type hop string

const (
	withoutProxy  hop = "agent-upstream"
	agentProxy    hop = "agent-proxy"
	proxyUpstream hop = "proxy-upstream"
)

// route is the way from an agent to a mock, with a relay and perhaps a proxy on it.
type route struct {
	url     string // for the agent
	mock    *responsestest.Server
	relay   *faultrelay.Relay
	records *journal // nil without a proxy
	handler *proxy.Handler
	close   func() // waits until the proxy knows how everything ended
}

// newRoute puts a relay where at says.
func newRoute(t *testing.T, at hop, plan faultrelay.Plan) *route {
	t.Helper()
	mock, err := responsestest.Start(responsestest.Options{WebSocket: responsestest.WebSocketPlain})
	if err != nil {
		t.Fatal(err)
	}
	r := &route{mock: mock}
	relay := func(target string) string {
		if r.relay, err = faultrelay.Start(t.Context(), strings.TrimPrefix(target, "http://"), plan); err != nil {
			t.Fatal(err)
		}
		return "http://" + r.relay.Addr
	}
	if at == withoutProxy {
		r.url = relay(mock.URL)
		r.close = func() { r.relay.Close(); mock.Close() }
		return r
	}
	upstream := mock.URL
	if at == proxyUpstream {
		upstream = relay(upstream)
	}
	base, err := url.Parse(upstream + "/v1")
	if err != nil {
		t.Fatal(err)
	}
	r.records = &journal{}
	handler, err := proxy.New(proxy.Config{BaseURL: base, Recorder: r.records})
	if err != nil {
		t.Fatal(err)
	}
	r.records.settle, r.handler = handler.Settle, handler
	server := httptest.NewServer(handler)
	r.url = server.URL
	if at == agentProxy {
		r.url = relay(server.URL)
	}
	r.close = func() {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := handler.Idle(ctx); err != nil {
			t.Errorf("Idle() = %v; want every exchange to end", err)
		}
		r.relay.Close()
		server.Close()
		handler.Close()
		mock.Close()
	}
	return r
}

// outcome is what an agent has of a request.
type outcome struct {
	Answered bool   // a response of the upstream came
	Got      string // of it
	Clean    bool   // to its end
}

// transport is how an agent speaks: SSE or WebSocket.
type transport struct {
	name string
	ask  func(ctx context.Context, t *testing.T, base, request string) outcome
}

func transports() []transport { return []transport{{overSSE, askSSE}, {overSocket, askSocket}} }

// askSSE sends a request and reads its stream, until ctx ends.
func askSSE(ctx context.Context, t *testing.T, base, request string) outcome {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/responses", strings.NewReader(request))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"User-Agent": {"codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm"}, "Content-Type": {"application/json"}}
	client := &http.Transport{}
	defer client.CloseIdleConnections()
	response, err := client.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusOK {
		if err == nil {
			response.Body.Close()
		}
		return outcome{}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return outcome{Answered: true, Got: string(body), Clean: err == nil}
}

// askSocket sends a request over a WebSocket and reads the messages up to the completion, or until ctx ends.
func askSocket(ctx context.Context, t *testing.T, base, request string) outcome {
	t.Helper()
	conn, _, err := websocket.Dial(ctx, base+"/v1/responses", &websocket.DialOptions{
		HTTPHeader:      http.Header{"User-Agent": {"codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm"}, "Thread-Id": {"t1"}},
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return outcome{}
	}
	defer conn.CloseNow()
	if conn.Write(ctx, websocket.MessageText, []byte(`{"type":"response.create",`+strings.TrimPrefix(request, "{"))) != nil {
		return outcome{}
	}
	o := outcome{Answered: true}
	for {
		_, message, err := conn.Read(ctx)
		if err != nil {
			return o
		}
		o.Got += string(message) + "\n"
		if strings.Contains(string(message), `"type":"response.completed"`) {
			o.Clean = conn.Close(websocket.StatusNormalClosure, "") == nil
			return o
		}
	}
}
