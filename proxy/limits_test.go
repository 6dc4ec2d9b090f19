package proxy_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// quotas returns what the records of a journal tell of quotas, by event.
func (j *journal) quotas() map[string]events.RateLimits {
	told := make(map[string]events.RateLimits)
	for _, r := range j.all() {
		var limits *events.RateLimits
		name := r.Event.EventName()
		switch event := r.Event.(type) {
		case *events.APIRequest:
			limits = event.RateLimits
		case *events.WebSocketConnect:
			limits = event.RateLimits
		case *events.SSEEvent:
			limits, name = event.RateLimits, name+" by "+event.EndedBy
		}
		if limits != nil {
			told[name] = *limits
		}
	}
	return told
}

const quotaEvent = `{"type":"codex.rate_limits","plan_type":"plus","rate_limits":{"primary":{"used_percent":43.5,"window_minutes":300,"reset_at":1700009000}}}`

var (
	quotaHeader = http.Header{"X-Codex-Primary-Used-Percent": {"42"}, "X-Codex-Primary-Window-Minutes": {"300"}, "X-Ratelimit-Remaining-Requests": {"59"}}
	headQuota   = events.RateLimits{PrimaryUsed: events.Some(42.0), PrimaryWindow: events.Int64(300), RequestsLeft: events.Int64(59)}
	eventQuota  = events.RateLimits{
		PrimaryUsed: events.Some(43.5), PrimaryWindow: events.Int64(300), PrimaryResets: events.Int64(1700009000), PlanType: "plus",
	}
)

// Headers are told with the request, the event with the end of the response.
func TestRateLimitsAreTold(t *testing.T) {
	upstream := responsestest.NewServer(t)
	completed := responsestest.CompletedWithTokens("r1", responsestest.Usage{Input: 5, Output: 7})
	streamed := responsestest.Stream(responsestest.Created("r1"), responsestest.Event{Name: "codex.rate_limits", Data: quotaEvent}, completed)
	streamed.Header = quotaHeader
	refused := responsestest.Error(http.StatusTooManyRequests, "usage_limit_reached", "", "no")
	refused.Header = quotaHeader
	for name, test := range map[string]struct {
		response responsestest.Response
		want     map[string]events.RateLimits
	}{
		"stream":  {streamed, map[string]events.RateLimits{"codex.api_request": headQuota, "codex.sse_event by completed": eventQuota}},
		"refusal": {refused, map[string]events.RateLimits{"codex.api_request": headQuota}},
	} {
		t.Run(name, func(t *testing.T) {
			upstream.Once(test.response)
			server, records := start(t, upstream.BaseURL())
			response := post(t, server.URL+"/v1/responses", `{"model":"m","input":"hi","stream":true}`, codexHeader)
			if _, err := io.Copy(io.Discard, response.Body); err != nil {
				t.Fatal(err)
			}
			server.Close()
			if diff := cmp.Diff(test.want, records.quotas()); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRateLimitsOfAWebSocketAreTold(t *testing.T) {
	p := startSocket(t, responsestest.WebSocketDeflate, websocket.CompressionContextTakeover)
	p.mock.Once(responsestest.Stream(
		responsestest.Event{Name: "codex.rate_limits", Data: quotaEvent}, responsestest.Created("r1"),
		responsestest.CompletedWithTokens("r1", responsestest.Usage{Input: 5, Output: 7}),
	))
	p.ask(t, firstPrompt, 3)
	p.conn.CloseNow()
	p.close()
	if diff := cmp.Diff(map[string]events.RateLimits{"codex.sse_event by completed": eventQuota}, p.records.quotas()); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
}

func TestRateLimitsOfAHandshakeAreTold(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), quotaHeader)
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer upstream.Close()
	server, records := start(t, upstream.URL+"/v1")
	get(t, server.URL+"/v1/responses", handshake)
	server.Close()
	if diff := cmp.Diff(map[string]events.RateLimits{"codex.websocket_connect": headQuota}, records.quotas()); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
}
