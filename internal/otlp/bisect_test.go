package otlp

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// refusal is how a protocol refuses a batch with the given HTTP status.
func refusal(protocol Protocol, code int, message string) answer {
	if protocol != ProtocolGRPC {
		return answer{code: code, message: message}
	}
	return answer{status: status.New(map[int]codes.Code{
		http.StatusRequestEntityTooLarge: codes.ResourceExhausted,
		http.StatusBadRequest:            codes.InvalidArgument,
		http.StatusServiceUnavailable:    codes.Unavailable,
	}[code], message)}
}

func TestTooLargeBatchIsBisected(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			c := startCollector(t, protocol, false, "", func(r received) answer {
				if r.size > 20_000 {
					return refusal(protocol, http.StatusRequestEntityTooLarge, "")
				}
				return answer{}
			})
			x := open(t, c.config())
			var want []string
			for i := range 100 {
				text := fmt.Sprintf("%03d", i)
				if i == 41 {
					text += strings.Repeat("x", 30_000)
				} else {
					want = append(want, text)
				}
				x.Record(prompt(text))
			}
			if err := x.Flush(t.Context()); err != nil {
				t.Errorf("Flush() = %v", err)
			}
			if diff := cmp.Diff(want, prompts(c.await(t, 99))); diff != "" {
				t.Errorf("records taken (-want +got):\n%s", diff)
			}
			if s := x.Stats(); s.Delivered != 99 || s.Dropped.TooLarge != 1 || s.Queued != 0 {
				t.Errorf("Stats() = %+v; want 99 delivered and 1 too large", s)
			}
		})
	}
}

func TestPoisonIsFound(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			c := startCollector(t, protocol, false, "", func(r received) answer {
				if slices.Contains(prompts(r.records()), "poison") {
					return refusal(protocol, http.StatusBadRequest, "bad record")
				}
				return answer{}
			})
			x := open(t, c.config())
			var want []string
			for i := range 512 {
				text := fmt.Sprint(i)
				if i == 300 {
					text = "poison"
				} else {
					want = append(want, text)
				}
				x.Record(prompt(text))
			}
			x.Record(prompt("after"))
			if err := x.Flush(t.Context()); err != nil {
				t.Errorf("Flush() = %v", err)
			}
			if diff := cmp.Diff(append(want, "after"), prompts(c.await(t, 512))); diff != "" {
				t.Errorf("records taken (-want +got):\n%s", diff)
			}
			if s := x.Stats(); s.Delivered != 512 || s.Dropped.Refused != 1 {
				t.Errorf("Stats() = %+v; want 512 delivered and 1 refused", s)
			}
			// 512 halves nine times: two requests for each, the first, and the next batch.
			if seen, _ := c.requests(); len(seen) > 20 {
				t.Errorf("%d requests to find one record; want at most 20", len(seen))
			}
		})
	}
}

// TestRefusalOfEverythingIsCheap has a collector that likes no record at all.
func TestRefusalOfEverythingIsCheap(t *testing.T) {
	c := startCollector(t, ProtocolHTTPBinary, false, "", func(received) answer {
		return answer{code: http.StatusBadRequest}
	})
	x := open(t, c.config())
	for range 512 * 20 {
		x.Record(delta())
	}
	if err := x.Flush(t.Context()); err != nil {
		t.Errorf("Flush() = %v", err)
	}
	if s := x.Stats(); s.Dropped.Refused != 512*20 || s.Queued != 0 {
		t.Errorf("Stats() = %+v; want all refused", s)
	}
	if seen, _ := c.requests(); len(seen) > 2*maxSplits+1+20 {
		t.Errorf("%d requests for 20 batches; want at most %d", len(seen), 2*maxSplits+1+20)
	}
}

// TestOutageWhileBisecting keeps what was not sent yet, and only that.
func TestOutageWhileBisecting(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			down := false
			c := startCollector(t, protocol, false, "", func(r received) answer {
				switch {
				case len(r.records()) > 2:
					return refusal(protocol, http.StatusRequestEntityTooLarge, "")
				case down:
					down = false
					return refusal(protocol, http.StatusServiceUnavailable, "")
				}
				down = slices.Contains(prompts(r.records()), "3")
				return answer{}
			})
			x := open(t, c.config())
			var want []string
			for i := range 16 {
				want = append(want, fmt.Sprint(i))
				x.Record(prompt(want[i]))
			}
			if err := x.Flush(t.Context()); err == nil {
				t.Error("Flush() = nil; want an error for the outage")
			}
			balance(t, x)
			if s := x.Stats(); s.Delivered != 4 || s.Queued != 12 {
				t.Errorf("Stats() = %+v; want 4 delivered, 12 queued", s)
			}
			if err := x.Flush(t.Context()); err != nil {
				t.Errorf("second Flush() = %v", err)
			}
			if diff := cmp.Diff(want, prompts(c.await(t, 16))); diff != "" {
				t.Errorf("records taken (-want +got):\n%s", diff)
			}
			balance(t, x)
		})
	}
}

// TestSizeIsFoundAfterRefusals has a collector that likes no record at all for a while, and then none but small batches.
func TestSizeIsFoundAfterRefusals(t *testing.T) {
	var small atomic.Bool
	c := startCollector(t, ProtocolHTTPBinary, false, "", func(r received) answer {
		switch {
		case !small.Load():
			return answer{code: http.StatusBadRequest}
		case len(r.records()) > 20:
			return answer{code: http.StatusRequestEntityTooLarge}
		}
		return answer{}
	})
	x := open(t, c.config())
	for i := range 2 {
		for range 512 {
			x.Record(delta())
		}
		if err := x.Flush(t.Context()); err != nil {
			t.Errorf("Flush() = %v", err)
		}
		small.Store(i == 0)
	}
	if s := x.Stats(); s.Dropped.Refused != 512 || s.Delivered != 512 || s.Dropped.TooLarge != 0 {
		t.Errorf("Stats() = %+v; want the first 512 refused and the others delivered", s)
	}
}
