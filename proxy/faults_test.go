package proxy_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/internal/faultrelay"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// markedRequest has a mark within it, and one at its end.
const markedRequest = `{"model":"m","stream":true,"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"mark-in-request` +
	` and more"}]}],"end":"mark-at-end"}`

// markedStream has the text mark-in-stream in its third event. Then it waits for a gate, if there is one, behind which it has
// no completion: a stream that somebody broke off must not come to its end.
func markedStream(gate *responsestest.Gate) responsestest.Response {
	head := []responsestest.Event{responsestest.Created("r1"), responsestest.TextDelta("hello"), responsestest.TextDelta("mark-in-stream")}
	if gate != nil {
		return responsestest.Stream(append(head, gate.Stop(), responsestest.TextDelta("too late"))...)
	}
	return responsestest.Stream(append(head, responsestest.TextDelta("world"),
		responsestest.CompletedWithTokens("r1", responsestest.Usage{Input: 5, Output: 7}))...)
}

// finish ends what still waits at the gate when the agent has its outcome. A WebSocket ends when its other side notices that
// the agent has left, which is when it has said everything; a stream must end for no other reason than that.
func (r *route) finish(over string, gate *responsestest.Gate) {
	if over == overSocket {
		gate.Open()
		r.relay.Release()
	}
	r.close()
	gate.Open()
}

const (
	overSSE    = "sse"
	overSocket = "websocket"
)

// TestFaultsOnTheWay puts every mistake of a network on either side of the proxy. The agent must get what it would get
// without the proxy, and there must be one final record that says who ended the stream.
func TestFaultsOnTheWay(t *testing.T) {
	toClient := func(f faultrelay.Fault) faultrelay.Plan { return faultrelay.Plan{ToClient: f} }
	toServer := func(f faultrelay.Fault) faultrelay.Plan { return faultrelay.Plan{ToServer: f} }
	const request, end, stream = "mark-in-request", "mark-at-end", "mark-in-stream"
	// What an agent says over a WebSocket is masked; its handshake is not.
	const handshake, connected = "Sec-Websocket-Version", "\r\n\r\n"
	for name, test := range map[string]struct {
		plan   faultrelay.Plan
		over   string // the only transport, if not both
		hold   bool   // the stream waits at its gate for ever
		resume bool   // what stalled goes on
		leave  bool   // the agent gives up when the fault has happened
		raced  bool   // how much the agent gets is not determined, without a proxy either
		clean  bool
		ended  map[hop]string // how the stream ends; "" for no stream
	}{
		"slow and sliced response": {plan: toClient(faultrelay.Fault{Slice: 1, Delay: 10 * time.Microsecond}), clean: true},
		"slow and sliced request":  {plan: toServer(faultrelay.Fault{Slice: 1, Delay: 10 * time.Microsecond}), clean: true},
		"reset in the request":     {over: overSSE, plan: toServer(faultrelay.Fault{Mark: request, Action: faultrelay.Reset}), hold: true, raced: true},
		"request half-closed":      {over: overSSE, plan: toServer(faultrelay.Fault{Mark: end, Action: faultrelay.HalfClose}), hold: true, raced: true},
		"request stalls":           {over: overSSE, plan: toServer(faultrelay.Fault{Mark: request, Action: faultrelay.Stall}), resume: true, clean: true},
		"reset in the handshake":   {over: overSocket, plan: toServer(faultrelay.Fault{Mark: handshake, Action: faultrelay.Reset}), hold: true, raced: true},
		"handshake half-closed":    {over: overSocket, plan: toServer(faultrelay.Fault{Mark: connected, Action: faultrelay.HalfClose}), hold: true, raced: true},
		"handshake stalls":         {over: overSocket, plan: toServer(faultrelay.Fault{Mark: handshake, Action: faultrelay.Stall}), resume: true, clean: true},
		"reset in the stream":      {plan: toClient(faultrelay.Fault{Mark: stream, Action: faultrelay.Reset}), hold: true, ended: broken()},
		"stream closed":            {plan: toClient(faultrelay.Fault{Mark: stream, Action: faultrelay.Close}), hold: true, ended: broken()},
		"stream half-closed":       {plan: toClient(faultrelay.Fault{Mark: stream, Action: faultrelay.HalfClose}), hold: true, ended: broken()},
		"stream stalls":            {plan: toClient(faultrelay.Fault{Mark: stream, Action: faultrelay.Stall}), resume: true, clean: true},
		"stream stalls for good":   {plan: toClient(faultrelay.Fault{Mark: stream, Action: faultrelay.Stall}), hold: true, leave: true, raced: true, ended: map[hop]string{agentProxy: "client", proxyUpstream: "client"}},
	} {
		for _, transport := range transports() {
			if test.over != "" && test.over != transport.name {
				continue
			}
			t.Run(name+", "+transport.name, func(t *testing.T) {
				t.Parallel()
				var want outcome
				for _, at := range []hop{withoutProxy, agentProxy, proxyUpstream} {
					r := newRoute(t, at, test.plan)
					gate := responsestest.NewGate()
					if test.hold {
						r.mock.Any(markedStream(gate))
					} else {
						r.mock.Any(markedStream(nil))
					}
					ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
					go func() {
						<-r.relay.Acted()
						if test.resume {
							r.relay.Release()
						}
						if test.leave {
							cancel()
						}
					}()
					got := transport.ask(ctx, t, r.url, markedRequest)
					if !test.leave && errors.Is(ctx.Err(), context.DeadlineExceeded) {
						t.Errorf("%s: nothing happens any more", at)
					}
					cancel()
					r.finish(transport.name, gate)
					if test.raced {
						got.Answered, got.Got = false, ""
					}
					if at == withoutProxy {
						if want = got; want.Clean != test.clean {
							t.Fatalf("without the proxy = %+v; want clean to be %t", want, test.clean)
						}
						continue
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%s (-without the proxy +with it):\n%s", at, diff)
					}
					want := test.ended[at]
					if test.clean {
						want = "completed"
					}
					checkEnding(t, string(at), r.records, want, test.raced)
				}
			})
		}
	}
}

// broken is how a stream ends that broke off on either side.
func broken() map[hop]string { return map[hop]string{agentProxy: "client", proxyUpstream: "upstream"} }

// checkEnding wants exactly one record that tells an ending, that one, or none if there was no stream. If it is raced whether
// there was one, none will do, and so will any that is no completion if none was named.
func checkEnding(t *testing.T, name string, records *journal, by string, raced bool) {
	t.Helper()
	var got []string
	for _, end := range records.ended() {
		got = append(got, end.EndedBy)
		if end.EndedBy == "client" != end.ClientGone {
			t.Errorf("%s: final record = %+v; want ClientGone of a stream that the agent left", name, end)
		}
	}
	var want []string
	if by != "" {
		want = []string{by}
	}
	if raced && (len(got) == 0 || by == "" && len(got) == 1 && got[0] != "completed") {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: endings (-want +got):\n%s\n%s", name, diff, strings.Join(records.lines(), "\n"))
	}
}

// TestPanicsBesideAWebSocket makes each place panic where a WebSocket is looked at. The agent must not notice, the tunnel must
// end, and the panic must be counted.
func TestPanicsBesideAWebSocket(t *testing.T) {
	for _, place := range []string{"upgrade", "ask", "answered", "end"} {
		t.Run(place, func(t *testing.T) {
			r := newRoute(t, agentProxy, faultrelay.Plan{})
			var provoked atomic.Int64
			r.handler.Probe(func(at string) {
				if at == place {
					provoked.Add(1)
					panic(at)
				}
			})
			r.mock.Any(markedStream(nil))
			var want strings.Builder
			for _, event := range markedStream(nil).Events {
				want.WriteString(event.Data + "\n")
			}
			if got := askSocket(t.Context(), t, r.url, markedRequest); got.Got != want.String() || !got.Clean {
				t.Errorf("outcome = %+v; want the whole answer", got)
			}
			r.close()
			if panics := r.handler.Stats().Panics; panics == 0 || panics != provoked.Load() {
				t.Errorf("%d panics counted; want the %d that happened", panics, provoked.Load())
			}
		})
	}
}
