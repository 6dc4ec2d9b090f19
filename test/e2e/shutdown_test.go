package e2e_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// TestStopDeliversWhatWaits ends the proxy while records wait, some because the collector failed and some because their batch
// is still open, and wants them all delivered before it exits.
func TestStopDeliversWhatWaits(t *testing.T) {
	for _, way := range ways() {
		t.Run(way.name, func(t *testing.T) {
			collector := receiver.Start(t, receiver.Options{})
			collector.Sink.Fail(receiver.Unavailable)
			p := serve(t, newModel(t).BaseURL(), way.table(collector, exporter{}))
			// After the third failure in a row the next try is at least a second away.
			converse(t, p)
			p.waitMetrics(t, func(m metrics) bool { return m[failedTries] >= 3 })
			collector.Sink.Fail(receiver.None)
			converse(t, p)
			p.stop()
			if got := len(collector.Sink.Records()); got != 2*conversationRecords {
				t.Errorf("%d records arrived; want each of %d once\n%s", got, 2*conversationRecords, p.log)
			}
		})
	}
}

// TestStopLetsStreamsFinish ends the proxy in the middle of a stream, which must reach the agent whole, and its telemetry the
// collector.
func TestStopLetsStreamsFinish(t *testing.T) {
	collector := receiver.Start(t, receiver.Options{})
	model, gate := responsestest.NewServer(t), responsestest.NewGate()
	stream := conversationStream()
	model.Once(responsestest.Stream(append(append(stream[:2:2], gate.Stop()), stream[2:]...)...))
	p := serve(t, model.BaseURL(), ways()[0].table(collector, exporter{}))

	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/v1/responses", strings.NewReader(conversationRequest))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = agentHeader()
	response, err := (&http.Client{Transport: &http.Transport{}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	<-gate.Reached()
	p.terminate()
	p.waitRefusal(t)
	gate.Open()
	body, err := io.ReadAll(response.Body)
	if diff := cmp.Diff(string(responsestest.SSE(stream...)), string(body)); diff != "" || err != nil {
		t.Errorf("read stream: %v (-want +got):\n%s", err, diff)
	}
	p.stop()
	records := receiver.Named(collector.Sink.Records(), "codex.sse_event")
	if len(records) == 0 || records[len(records)-1].Attrs["input_token_count"] != int64(12) {
		t.Errorf("%d records of the stream arrived; want them to end with the completion", len(records))
	}
}

// TestStopIsBounded ends the proxy while the collector does not take anything. Traffic must not have noticed, and the proxy
// must be gone when the time to flush is over.
func TestStopIsBounded(t *testing.T) {
	const flush, slack = 500 * time.Millisecond, 5 * time.Second
	collectors := map[string]func(t *testing.T, collector *receiver.Receiver) exporter{
		"hangs": func(_ *testing.T, collector *receiver.Receiver) exporter {
			collector.Sink.Fail(receiver.Hang)
			return exporter{}
		},
		"says nothing": func(t *testing.T, _ *receiver.Receiver) exporter {
			t.Helper()
			return exporter{endpoint: "http://" + silence(t).Addr().String()}
		},
		"says nothing over TLS": func(t *testing.T, _ *receiver.Receiver) exporter {
			t.Helper()
			return exporter{endpoint: "https://" + silence(t).Addr().String()}
		},
		"is gone": func(t *testing.T, _ *receiver.Receiver) exporter {
			t.Helper()
			listener := silence(t)
			listener.Close()
			return exporter{endpoint: "http://" + listener.Addr().String()}
		},
		"is unavailable": func(_ *testing.T, collector *receiver.Receiver) exporter {
			collector.Sink.Fail(receiver.Unavailable)
			return exporter{}
		},
	}
	for _, way := range ways() {
		for name, start := range collectors {
			t.Run(way.name+" "+name, func(t *testing.T) {
				t.Parallel() // Most of it is waiting.
				collector := receiver.Start(t, receiver.Options{})
				e := start(t, collector)
				e.timeout = "10m" // Whoever waits for the collector waits longer than the test.
				table := way.table(collector, e) + fmt.Sprintf("[server]\nflush_timeout = %q\n", flush)
				fate := fmt.Sprintf(`msg="telemetry is kept for the next start" records=%d`, 5*conversationRecords)
				if way.protocol == "binary" { // One of the ways without a disk is enough.
					table += "[store]\ndir = \"memory\"\n"
					fate = fmt.Sprintf(`msg="telemetry is lost" records=%d`, 5*conversationRecords)
				}
				p := serve(t, newModel(t).BaseURL(), table)
				for range 5 {
					converse(t, p)
				}
				scraped := p.waitMetrics(t, func(m metrics) bool { return m.observed() == 5*conversationRecords })
				scraped.checkBalance(t)
				if scraped[queued] != 5*conversationRecords {
					t.Errorf("%v records wait; want all %d", scraped[queued], 5*conversationRecords)
				}
				began := time.Now()
				p.stop()
				if took := time.Since(began); took > flush+slack {
					t.Errorf("the proxy took %v to stop; want no more than %v to flush", took, flush)
				}
				if !strings.Contains(p.log.String(), fate) {
					t.Errorf("the log does not say %s:\n%s", fate, p.log)
				}
			})
		}
	}
}

// waitRefusal waits until the proxy does not listen any more.
func (p *proxy) waitRefusal(t *testing.T) {
	t.Helper()
	deadline := time.After(startTimeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial("tcp", p.log.address)
		if err != nil {
			return
		}
		conn.Close()
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("proxy still listens on %s", p.log.address)
		}
	}
}

// silence returns a listener that takes connections and never says a word.
func silence(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}
