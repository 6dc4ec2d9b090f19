package proxy_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/faultrelay"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// wholeStream has events of every kind that matters to how a stream is told. Each has a mark of its own.
func wholeStream() []responsestest.Event {
	usage := responsestest.Usage{Input: 5, Output: 7}
	stream := []responsestest.Event{
		responsestest.Created("r1"), responsestest.InProgress("r1"), responsestest.TextDelta("a"), responsestest.TextDelta("b"),
		responsestest.FunctionCall("c1", "shell", `{"cmd":"ls"}`), responsestest.TextDelta("c"), responsestest.CompletedWithTokens("r1", usage),
	}
	for i := range stream {
		stream[i].Data = strings.TrimSuffix(stream[i].Data, "}") + fmt.Sprintf(`,"mark":"event-%d."}`, i)
	}
	return stream
}

// TestAbortAtEveryEvent breaks off a stream behind each of its events, and before the first one: by the agent and by the
// upstream, with a close and with a reset. The agent must get the events up to there, and there must be exactly one final
// record, with the right ending.
func TestAbortAtEveryEvent(t *testing.T) {
	stream := wholeStream()
	for _, transport := range transports() {
		for _, at := range []hop{agentProxy, proxyUpstream} {
			for _, action := range []faultrelay.Action{faultrelay.Close, faultrelay.Reset, faultrelay.HalfClose} {
				t.Run(fmt.Sprintf("%s, %s, %s", transport.name, at, action), func(t *testing.T) {
					t.Parallel()
					for events := range len(stream) + 1 {
						mark := "\r\n\r\n" // the end of the response's headers
						if events > 0 {
							mark = fmt.Sprintf("event-%d.", events-1)
						}
						r := newRoute(t, at, faultrelay.Plan{ToClient: faultrelay.Fault{Mark: mark, Action: action}})
						gate := responsestest.NewGate()
						r.mock.Any(responsestest.Stream(append(append(stream[:events:events], gate.Stop()), responsestest.Comment("too late"))...))
						ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
						got := transport.ask(ctx, t, r.url, markedRequest)
						if ctx.Err() != nil {
							t.Errorf("after %d events: nothing happens any more", events)
						}
						cancel()
						r.finish(transport.name, gate)
						for i, event := range stream {
							if came := strings.Contains(got.Got, event.Data); came != (i < events) {
								t.Errorf("broken off after %d events, the agent got %q", events, got.Got)
								break
							}
						}
						want := map[hop]string{agentProxy: "client", proxyUpstream: "upstream"}[at]
						if events == len(stream) {
							want = "completed"
						}
						// A WebSocket that breaks off behind its handshake may do so before the request was sent.
						maybe := transport.name == overSocket && events == 0
						if maybe {
							want = ""
						}
						checkEnding(t, fmt.Sprintf("after %d events", events), r.records, want, maybe)
					}
				})
			}
		}
	}
}

// TestUpstreamEndsAtEveryEvent has the upstream end its answer properly, but behind each event.
func TestUpstreamEndsAtEveryEvent(t *testing.T) {
	stream := wholeStream()
	for _, transport := range transports() {
		for events := range len(stream) + 1 {
			r := newRoute(t, agentProxy, faultrelay.Plan{})
			response := responsestest.Stream(stream[:events]...)
			if transport.name == overSocket {
				response.Abort = responsestest.AbortStream // Nothing else would end the answer.
			}
			r.mock.Any(response)
			transport.ask(t.Context(), t, r.url, markedRequest)
			r.close()
			want := "upstream"
			if events == len(stream) {
				want = "completed"
			}
			checkEnding(t, fmt.Sprintf("%s, after %d events", transport.name, events), r.records, want, false)
		}
	}
}
