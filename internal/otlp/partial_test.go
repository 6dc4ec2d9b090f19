package otlp

import (
	"math"
	"net/http"
	"testing"
	"time"
)

func TestPartialSuccess(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			book := newLogbook()
			c := startCollector(t, protocol, false, "", func(received) answer {
				return answer{rejected: 1, message: "too old"}
			})
			cfg := c.config()
			cfg.Logger = book.logger()
			x := open(t, cfg)
			for range 3 {
				x.Record(prompt("hello"))
			}
			if err := x.Flush(t.Context()); err != nil {
				t.Errorf("Flush() = %v; a partial success is no failure", err)
			}
			if err := x.Flush(t.Context()); err != nil {
				t.Errorf("second Flush() = %v", err)
			}
			s := x.Stats()
			if seen, _ := c.requests(); s.Rejected != 1 || s.Delivered != 2 || s.Queued != 0 || len(seen) != 1 {
				t.Errorf("Stats() = %+v after %d requests; want 1 rejected, 2 delivered, 1 request", s, len(seen))
			}
			if book.count("too old") != 1 {
				t.Errorf("log = %s; want one line with the message", book)
			}
		})
	}
}

func TestPartialSuccessIsNotTrusted(t *testing.T) {
	for claimed, want := range map[int64]int64{math.MinInt64: 0, -5: 0, 1000: 2, 1 << 32: 2, math.MaxInt64: 2} {
		c := startCollector(t, ProtocolHTTPBinary, false, "", func(received) answer { return answer{rejected: claimed} })
		x := open(t, c.config())
		x.Record(delta())
		x.Record(prompt("hello"))
		if err := x.Flush(t.Context()); err != nil {
			t.Errorf("Flush() = %v", err)
		}
		if s := x.Stats(); s.Rejected != want || s.Delivered != 2-want || s.Queued != 0 {
			t.Errorf("Stats() = %+v with %d rejected; want %d of 2", s, claimed, want)
		}
		balance(t, x)
	}
}

func TestStrangeSuccessBodies(t *testing.T) {
	for name, a := range map[string]answer{
		"html":            {body: "<html>ok</html>", header: http.Header{"Content-Type": {"text/html"}}},
		"broken json":     {body: `{"partialSuccess":{"rejectedLogRecords":`, header: http.Header{"Content-Type": {contentTypeJSON}}},
		"other json":      {body: `["x"]`, header: http.Header{"Content-Type": {contentTypeJSON}}},
		"broken protobuf": {body: "\xff\xff\xff", header: http.Header{"Content-Type": {contentTypeProto}}},
		"long":            {body: string(make([]byte, 1<<20)), header: http.Header{"Content-Type": {contentTypeProto}}},
		"endless":         {endless: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := startCollector(t, ProtocolHTTPJSON, false, "", func(received) answer { return a })
			start := time.Now()
			if got, want := flushTwo(t, c), (outcome{Delivered: 2, Tries: 1}); got != want {
				t.Errorf("outcome = %+v; want %+v", got, want)
			}
			if took := time.Since(start); took > defaultTimeout/2 {
				t.Errorf("reading the answer took %v; want a bound on it", took)
			}
		})
	}
}
