package otlp

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
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
	// The first batch is taken apart, of the others pieces of all sizes are tried.
	const most = 2*512 - 1 + 19*21
	if seen, _ := c.requests(); len(seen) > most {
		t.Errorf("%d requests for 20 batches; want at most %d", len(seen), most)
	}
}

// picky is a sender to a collector that refuses every batch with a bad record in it.
type picky struct {
	tries int
	took  []string
	down  bool // once, for a batch that it would take
	every int  // if set, each so many requests are throttled
}

func (p *picky) send(_ context.Context, payload []byte) reply {
	p.tries++
	if p.every > 0 && p.tries%p.every == 0 {
		return reply{verdict: verdictRetry}
	}
	request := new(collogpb.ExportLogsServiceRequest)
	if err := proto.Unmarshal(payload, request); err != nil {
		return reply{verdict: verdictRefused}
	}
	texts := prompts(received{request: request}.records())
	if slices.Contains(texts, "bad") {
		return reply{verdict: verdictInvalid}
	}
	if p.down {
		p.down = false
		return reply{verdict: verdictRetry}
	}
	p.took = append(p.took, texts...)
	return reply{}
}

func (*picky) close() error { return nil }

// recordMixed records 512 prompts, of which some are bad, and returns the others.
func recordMixed(x *Exporter, bad func(i int) bool) (good []string) {
	for i := range 512 {
		text := fmt.Sprint(i)
		if bad(i) {
			text = "bad"
		} else {
			good = append(good, text)
		}
		x.Record(prompt(text))
	}
	return good
}

// TestPoisonDragsNothingDown has 70 bad records in a batch of 512, wherever they are, also behind batches of nothing else.
func TestPoisonDragsNothingDown(t *testing.T) {
	for name, bad := range map[string]func(i int) bool{
		"first":       func(i int) bool { return i < 70 },
		"inside":      func(i int) bool { return i >= 221 && i < 291 },
		"last":        func(i int) bool { return i >= 442 },
		"every sixth": func(i int) bool { return i%6 == 0 && i < 420 },
		"pairs":       func(i int) bool { return i%12 < 2 && i < 420 },
	} {
		for _, earlier := range []int{0, 3} {
			t.Run(fmt.Sprint(name, " after ", earlier), func(t *testing.T) {
				p := &picky{}
				x := openScripted(Config{}, p)
				defer x.Close()
				for range earlier {
					recordMixed(x, func(int) bool { return true })
					_ = x.Flush(t.Context())
				}
				p.tries = 0
				want := recordMixed(x, bad)
				if err := x.Flush(t.Context()); err != nil {
					t.Errorf("Flush() = %v", err)
				}
				if s := x.Stats(); s.Delivered != 442 || s.Dropped.Refused != int64(70+512*earlier) || s.Queued != 0 {
					t.Errorf("Stats() = %+v; want 442 delivered and %d refused", s, 70+512*earlier)
				}
				if earlier > 0 {
					// A piece may be taken before those that were set aside.
					slices.Sort(want)
					slices.Sort(p.took)
				}
				if diff := cmp.Diff(want, p.took); diff != "" {
					t.Errorf("records taken (-want +got):\n%s", diff)
				}
				if p.tries > 2*512 {
					t.Errorf("%d requests for 512 records; want at most two each", p.tries)
				}
			})
		}
	}
}

// TestOutageBehindWhatIsSetAside keeps what was refused and not taken apart yet, in its place.
func TestOutageBehindWhatIsSetAside(t *testing.T) {
	p := &picky{}
	x := openScripted(Config{}, p)
	defer x.Close()
	recordMixed(x, func(int) bool { return true })
	_ = x.Flush(t.Context())
	p.down = true
	want := recordMixed(x, func(i int) bool { return i < 70 })
	if err := x.Flush(t.Context()); err == nil {
		t.Error("Flush() = nil; want an error for the outage")
	}
	balance(t, x)
	// Four records were refused alone.
	if s := x.Stats(); s.Delivered != 0 || s.Queued != 508 || s.Dropped.Refused != 512+4 {
		t.Errorf("Stats() = %+v; want 508 queued", s)
	}
	if err := x.Flush(t.Context()); err != nil {
		t.Errorf("second Flush() = %v", err)
	}
	if diff := cmp.Diff(want, p.took); diff != "" {
		t.Errorf("records taken (-want +got):\n%s", diff)
	}
	if s := x.Stats(); s.Delivered != 442 || s.Dropped.Refused != 512+70 {
		t.Errorf("Stats() = %+v; want 442 delivered and %d refused", s, 512+70)
	}
	balance(t, x)
}

// TestPoisonIsFoundInPauses has a collector that throttles every fifth request, which is sooner than a bad record among 512
// is found from the start.
func TestPoisonIsFoundInPauses(t *testing.T) {
	for _, place := range []int{0, 300, 511} {
		t.Run(fmt.Sprint(place), func(t *testing.T) {
			p := &picky{every: 5}
			x := openScripted(Config{}, p)
			defer x.Close()
			want := recordMixed(x, func(i int) bool { return i == place })
			for pauses := 0; x.Flush(t.Context()) != nil; pauses++ {
				if pauses == 20 {
					t.Fatalf("Stats() = %+v after %d pauses; want the bad record found", x.Stats(), pauses)
				}
			}
			if s := x.Stats(); s.Delivered != 511 || s.Dropped.Refused != 1 || s.Queued != 0 {
				t.Errorf("Stats() = %+v; want one refused and the rest delivered", s)
			}
			if diff := cmp.Diff(want, p.took); diff != "" {
				t.Errorf("records taken (-want +got):\n%s", diff)
			}
			balance(t, x)
		})
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
