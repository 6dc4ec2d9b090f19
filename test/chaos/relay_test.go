package chaos_test

import (
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/faultrelay"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestFaultsBeforeTheCollector puts every mistake of a network between the proxy and its collector. Agents must not notice,
// and when the network works again every record must have come, once or several times with the same event.id.
func TestFaultsBeforeTheCollector(t *testing.T) {
	toServer := func(f faultrelay.Fault) faultrelay.Plan { f.Exact = true; return faultrelay.Plan{ToServer: f} }
	toClient := func(f faultrelay.Fault) faultrelay.Plan { f.Exact = true; return faultrelay.Plan{ToClient: f} }
	const record, answer = "codex.api_request", "HTTP/1.1" // of the answer no more than that arrives
	for name, plan := range map[string]faultrelay.Plan{
		"slow and sliced":        {ToServer: faultrelay.Fault{Slice: 1, Delay: 10 * time.Microsecond}, ToClient: faultrelay.Fault{Slice: 1}},
		"reset in a request":     toServer(faultrelay.Fault{Mark: record, Action: faultrelay.Reset}),
		"request half-closed":    toServer(faultrelay.Fault{Mark: record, Action: faultrelay.HalfClose}),
		"request stalls":         toServer(faultrelay.Fault{Mark: record, Action: faultrelay.Stall}),
		"reset at the answer":    toClient(faultrelay.Fault{Mark: answer, Action: faultrelay.Reset}),
		"closed at the answer":   toClient(faultrelay.Fault{Mark: answer, Action: faultrelay.Close}),
		"half-closed at answers": toClient(faultrelay.Fault{Mark: answer, Action: faultrelay.HalfClose}),
		"answer stalls":          toClient(faultrelay.Fault{Mark: answer, Action: faultrelay.Stall}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const exchanges = 20
			c := newCollector(t, rand.New(rand.NewPCG(1, 1)))
			relay, err := faultrelay.Start(t.Context(), c.address, plan)
			if err != nil {
				t.Fatal(err)
			}
			defer relay.Close()
			upstream := newUpstream(t, responsestest.Stream(stream()...))
			p := start(t, config(upstream.BaseURL(), relay.Addr, t.TempDir()))
			l := newLoad(t)
			ask := func(n int) {
				for range n {
					l.once(t.Context(), p.url, overSSE, askStream(l.client))
					l.once(t.Context(), p.url, overSocket, askSocket)
				}
			}
			ask(exchanges / 2)
			if plan.ToServer.Action != faultrelay.Pass || plan.ToClient.Action != faultrelay.Pass {
				select {
				case <-relay.Acted():
				case <-time.After(patience):
					t.Fatal("the fault has not happened")
				}
			}
			ask(exchanges / 2)
			relay.Heal()
			healed := time.Now()
			final := p.until(t, "empty queue", func(b books) bool { return b.Total.Queued == 0 })
			settled := time.Since(healed)
			stopped := time.Now()
			p.terminate(t)
			p.exited(t)
			if took := time.Since(stopped); took > 10*time.Second {
				t.Errorf("exit took %v: %s", took, p.text())
			}
			facts := c.facts()
			byKind := map[string]map[string]int{}
			for _, e := range l.take() {
				got := facts[e.conversation]
				if byKind[e.kind] == nil {
					byKind[e.kind] = got
				}
				if len(got) < 4 || !maps.Equal(got, byKind[e.kind]) {
					t.Errorf("of %s came %v; want what came of others, %v", e.conversation, got, byKind[e.kind])
				}
			}
			distinct, again := c.distinct()
			if int64(distinct) != final.Total.Delivered || final.Total.Observed != final.Total.Delivered || c.different > 0 {
				t.Errorf("the collector has %d records, %d of them different when they came again, books = %+v; want all delivered",
					distinct, c.different, final.Total)
			}
			t.Logf("%d records, %d came again; all were there %v after the network worked again", distinct, again, settled.Round(time.Millisecond))
		})
	}
}
