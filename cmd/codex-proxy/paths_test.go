package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// allocService returns a service that encodes every record, sends none and has nothing running beside.
func allocService(tb testing.TB, upstream string) *service {
	tb.Helper()
	cfg := config.Default()
	cfg.Upstream.BaseURL = upstream
	cfg.OTel.Exporter.HTTP = &config.OTLPHTTP{Endpoint: "http://127.0.0.1:9", Protocol: config.ProtocolBinary, Timeout: time.Second}
	cfg.Store.Dir = ""
	s, err := newService(&cfg, slog.New(slog.DiscardHandler), &net.TCPAddr{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.exporter.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func allocTurn(recorder events.Recorder) *responses.Turn {
	return responses.NewTurn(responses.TurnConfig{
		Recorder: recorder, ExchangeID: events.ID("allocs"), Start: time.Now(), Endpoint: responses.EndpointOf("POST", "/responses"),
		Scope: &events.Scope{
			ConversationID: "019a-conversation", Model: "gpt-5", Slug: "gpt-5", ResponseID: "resp_1",
			Resource: &events.Resource{ServiceName: "codex-cli"}, Memo: new(events.Memo),
		},
	})
}

func deltaRun(recorder events.Recorder) func() {
	turn := allocTurn(recorder)
	event := responses.StreamEvent{
		Name: []byte("response.output_text.delta"), At: time.Now(),
		Data: []byte(`{"type":"response.output_text.delta","sequence_number":7,"item_id":"msg_1","delta":" word"}`),
	}
	return func() {
		for range 1000 {
			turn.Event(event)
		}
	}
}

func completedRun(recorder events.Recorder) func() {
	event := responses.StreamEvent{Name: []byte("response.completed"), At: time.Now(), Data: largeCompleted(200_000)}
	return func() { allocTurn(recorder).Event(event) }
}

// largeCompleted returns a response.completed of about that size.
func largeCompleted(size int) []byte {
	return fmt.Appendf(nil, `{"type":"response.completed","response":{"id":"resp_1","output":[{"type":"reasoning","encrypted_content":"%s"}],`+
		`"usage":{"input_tokens":1,"input_tokens_details":{"cached_tokens":1},"output_tokens":1,"output_tokens_details":{"reasoning_tokens":1},"total_tokens":2}}}`,
		strings.Repeat("gAAAAAB", size/7))
}

// inspectRun looks at a request of 1 MB, after that many others with the same history.
func inspectRun(before int) func() {
	var body bytes.Buffer
	body.WriteString(`{"model":"gpt-5","input":[{"type":"message","role":"user","content":"go on"}`)
	for i := 0; body.Len() < 1<<20; i++ {
		fmt.Fprintf(&body, `,{"type":"function_call","call_id":"c%d","name":"shell","arguments":"{}"},{"type":"function_call_output","call_id":"c%d","output":"%s"}`,
			i, i, strings.Repeat(`a line of \"text\"\n`, 200))
	}
	body.WriteString(`],"stream":true}`)
	remembered := responses.NewHistory(0)
	inspect := func(history *responses.History) {
		inspector := responses.NewInspector(responses.InspectorConfig{Items: true, History: history, Bytes: int64(body.Len())})
		for chunk := range slices.Chunk(body.Bytes(), 16<<10) {
			inspector.Write(chunk)
		}
		inspector.Input()
	}
	for range before {
		inspect(remembered)
	}
	return func() {
		if before > 0 {
			inspect(remembered)
			return
		}
		inspect(responses.NewHistory(0))
	}
}

// reportOnce reports a prompt at the endpoint.
func reportOnce(tb testing.TB, s *service) func() {
	tb.Helper()
	handler := s.entrance()
	n := 0
	return func() {
		n++
		body := fmt.Sprintf(`{"event.name":"user_prompt","conversation.id":"c%d","prompt":"hello"}`, n)
		request := &http.Request{
			Method: http.MethodPost, URL: &url.URL{Path: report.EventsPath}, Host: "127.0.0.1", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != http.StatusAccepted {
			tb.Errorf("report answered %d: %s", answer.Code, answer.Body)
		}
	}
}
