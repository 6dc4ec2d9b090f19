package e2e_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// TestCollectorFailsForAWhile has the collector fail in ways that pass, and wants every record to wait, to be told of, and to
// arrive once when the collector is back.
func TestCollectorFailsForAWhile(t *testing.T) {
	failures := map[string]receiver.Failure{"unavailable": receiver.Unavailable, "hangs": receiver.Hang}
	for _, way := range ways() {
		for name, failure := range failures {
			t.Run(way.name+" "+name, func(t *testing.T) {
				collector := receiver.Start(t, receiver.Options{})
				collector.Sink.Fail(failure)
				p := serve(t, newModel(t).BaseURL(), way.table(collector, exporter{timeout: "1s"}))
				converse(t, p)
				failing := p.waitMetrics(t, func(m metrics) bool { return m[failedTries] > 0 && m.observed() == conversationRecords })
				failing.checkBalance(t)
				if failing[queued] != conversationRecords || failing[delivered] != 0 {
					t.Errorf("%v records wait, %v are delivered; want %d, 0", failing[queued], failing[delivered], conversationRecords)
				}

				collector.Sink.Fail(receiver.None)
				checkConversation(t, waitRecords(t, collector.Sink, conversationRecords))
				working := p.waitMetrics(t, func(m metrics) bool { return m[delivered] == conversationRecords })
				working.checkBalance(t)
				p.stop()
				if got := len(collector.Sink.Records()); got != conversationRecords {
					t.Errorf("%d records arrived; want each of %d once", got, conversationRecords)
				}
			})
		}
	}
}

// TestCollectorRefuses has the collector fail in ways that do not pass, and wants the records dropped and counted by reason.
func TestCollectorRefuses(t *testing.T) {
	failures := map[string]struct {
		failure receiver.Failure
		reason  map[string]string // by kind of exporter
	}{
		"invalid":  {receiver.Invalid, map[string]string{"otlp-http": "refused", "otlp-grpc": "refused"}},
		"internal": {receiver.Internal, map[string]string{"otlp-http": "refused", "otlp-grpc": "refused"}},
		// Without a word on when to come back, gRPC has the same status for a batch that is too large.
		"exhausted": {receiver.Exhausted, map[string]string{"otlp-http": "", "otlp-grpc": "too_large"}},
	}
	for _, way := range ways() {
		for name, test := range failures {
			t.Run(way.name+" "+name, func(t *testing.T) {
				collector := receiver.Start(t, receiver.Options{})
				collector.Sink.Fail(test.failure)
				p := serve(t, newModel(t).BaseURL(), way.table(collector, exporter{}))
				converse(t, p)
				want := map[string]float64{"queue_full": 0, "refused": 0, "too_large": 0, "shutdown": 0, "partial_success": 0}
				var settled float64
				if reason := test.reason[way.kind]; reason != "" {
					settled = conversationRecords
					want[reason] = settled
				}
				scraped := p.waitMetrics(t, func(m metrics) bool {
					return m[failedTries] > 0 && m.observed() == conversationRecords && m.sum("codex_proxy_export_dropped_total") == settled
				})
				scraped.checkBalance(t)
				got := map[string]float64{}
				for reason := range want {
					got[reason] = scraped[dropped(reason)]
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("dropped records by reason (-want +got):\n%s", diff)
				}
				// The next ones are sent as if nothing had happened.
				collector.Sink.Fail(receiver.None)
				converse(t, p)
				p.waitMetrics(t, func(m metrics) bool { return m[delivered] == 2*conversationRecords-settled }).checkBalance(t)
				p.stop()
				if got, want := len(collector.Sink.Records()), int(2*conversationRecords-settled); got != want {
					t.Errorf("%d records arrived; want %d", got, want)
				}
			})
		}
	}
}

// TestQueueIsBounded lets records pile up past the bound and wants the oldest dropped and counted, and the rest delivered.
func TestQueueIsBounded(t *testing.T) {
	const bound, reports, items = 1000, 4, 500
	for _, way := range ways() {
		t.Run(way.name, func(t *testing.T) {
			collector := receiver.Start(t, receiver.Options{})
			collector.Sink.Fail(receiver.Unavailable)
			table := way.table(collector, exporter{}) + "[store]\ndir = \"memory\"\n[queue]\nmax_records = " + strconv.Itoa(bound) + "\n"
			p := serve(t, newModel(t).BaseURL(), table)
			for number := range reports {
				var lines strings.Builder
				for item := range items {
					fmt.Fprintf(&lines, `{"event.name":"user_prompt","conversation.id":"c1","prompt_length":%d}`+"\n", number*items+item)
				}
				report(t, p, lines.String(), fmt.Sprintf(`{"accepted":%d,"rejected":0,"errors":[]}`, items))
			}
			// Those on their way to the collector, a batch at most, wait beside the queue.
			full := p.waitMetrics(t, func(m metrics) bool { return m[dropped("queue_full")] > 0 && m[queued] <= bound+512 })
			full.checkBalance(t)

			collector.Sink.Fail(receiver.None)
			empty := p.waitMetrics(t, func(m metrics) bool { return m[queued] == 0 })
			empty.checkBalance(t)
			p.stop()
			records := collector.Sink.Records()
			if len(records) == 0 || len(records) != int(empty[delivered]) {
				t.Fatalf("%d records arrived; want those counted as delivered, %v", len(records), empty[delivered])
			}
			if last := records[len(records)-1].Attrs["prompt_length"]; last != int64(reports*items-1) {
				t.Errorf("the last record is of prompt %v; want the newest, %d", last, reports*items-1)
			}
		})
	}
}
