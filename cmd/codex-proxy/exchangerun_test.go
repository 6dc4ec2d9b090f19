package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// exchangeBody is the request of exchangeRun.
const exchangeBody = `{"model":"gpt-5","stream":true,"input":[{"type":"message","role":"user","content":"hello"}]}`

// exchangeRun forwards a request and a stream of ten events, with everything that is told of them but sending.
func exchangeRun(tb testing.TB) func() {
	tb.Helper()
	s := allocService(tb, "http://"+cannedUpstream(tb)+"/v1")
	tb.Cleanup(s.proxy.Close)
	handler := s.entrance()
	return func() {
		request := httptest.NewRequestWithContext(tb.Context(), http.MethodPost, "http://127.0.0.1/v1/responses", strings.NewReader(exchangeBody))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("User-Agent", "codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm")
		request.Header.Set("Thread-Id", "019a-conversation")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), "response.completed") {
			tb.Errorf("answered %d: %s", answer.Code, answer.Body)
		}
		if err := s.proxy.Settle(tb.Context()); err != nil {
			tb.Error(err)
		}
	}
}

// cannedUpstream returns the address of an upstream that answers each exchangeBody with the same stream, and allocates nothing
// while it does.
func cannedUpstream(tb testing.TB) string {
	tb.Helper()
	var stream strings.Builder
	event := func(kind, rest string) {
		fmt.Fprintf(&stream, "event: %s\ndata: {\"type\":%q%s}\n\n", kind, kind, rest)
	}
	event("response.created", `,"response":{"id":"resp_1"}`)
	for range 8 {
		event("response.output_text.delta", `,"item_id":"msg_1","delta":" word"`)
	}
	event("response.completed", `,"response":{"id":"resp_1","usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}`)
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n%s", stream.Len(), stream.String())

	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveCanned(conn, []byte(exchangeBody), answer)
		}
	}()
	return listener.Addr().String()
}

// serveCanned answers whatever ends with end.
func serveCanned(conn net.Conn, end, answer []byte) {
	defer conn.Close()
	buffer, n := make([]byte, 64<<10), 0
	for {
		more, err := conn.Read(buffer[n:])
		if err != nil {
			return
		}
		if n += more; !bytes.HasSuffix(buffer[:n], end) {
			continue
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
		n = 0
	}
}
