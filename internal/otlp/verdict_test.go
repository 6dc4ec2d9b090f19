package otlp

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// outcome is what became of two records in one batch after one try (and what
// bisecting adds to it).
type outcome struct {
	Queued, Delivered, Refused, TooLarge int64
	Tries                                int
}

func flushTwo(t *testing.T, c *collector) outcome {
	t.Helper()
	x := open(t, c.config())
	x.Record(prompt("one"))
	x.Record(prompt("two"))
	err := x.Flush(t.Context())
	balance(t, x)
	s := x.Stats()
	if (err == nil) != (s.Queued == 0) {
		t.Errorf("Flush() = %v with %d records queued", err, s.Queued)
	}
	seen, _ := c.requests()
	return outcome{s.Queued, s.Delivered, s.Dropped.Refused, s.Dropped.TooLarge, len(seen)}
}

func TestHTTPStatuses(t *testing.T) {
	var (
		accepted = outcome{Delivered: 2, Tries: 1}
		retried  = outcome{Queued: 2, Tries: 1}
		refused  = outcome{Refused: 2, Tries: 1}
		poison   = outcome{Refused: 2, Tries: 3}
		tooLarge = outcome{TooLarge: 2, Tries: 3}
	)
	for _, test := range []struct {
		code    int
		message string
		body    string
		want    outcome
	}{
		{code: 200, want: accepted},
		{code: 202, want: accepted},
		{code: 204, want: accepted},
		{code: 301, want: refused},
		{code: 307, want: refused},
		{code: 400, want: poison},
		{code: 400, message: "http: request body too large", want: tooLarge},
		{code: 400, body: "http: request body too large\n", want: tooLarge},
		{code: 401, want: refused},
		{code: 403, want: refused},
		{code: 404, want: refused},
		{code: 405, want: refused},
		{code: 408, want: refused},
		{code: 413, want: tooLarge},
		{code: 415, want: refused},
		{code: 422, want: refused},
		{code: 429, want: retried},
		{code: 500, want: refused},
		{code: 501, want: refused},
		{code: 502, want: retried},
		{code: 503, want: retried},
		{code: 504, want: retried},
		{code: 505, want: refused},
		{code: 599, want: refused},
	} {
		for _, protocol := range []Protocol{ProtocolHTTPBinary, ProtocolHTTPJSON} {
			t.Run(protocol.String()+" "+strconv.Itoa(test.code)+" "+test.message+test.body, func(t *testing.T) {
				c := startCollector(t, protocol, false, "", func(received) answer {
					return answer{
						code: test.code, message: test.message, body: test.body,
						header: http.Header{"Location": {"http://127.0.0.1:1/elsewhere"}},
					}
				})
				if got := flushTwo(t, c); got != test.want {
					t.Errorf("outcome = %+v; want %+v", got, test.want)
				}
			})
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                               0,
		"0":                              0,
		"7":                              7 * time.Second,
		"-7":                             0,
		"1.5":                            0,
		"soon":                           0,
		"99999999999":                    maxRetryAfter,
		"9223372036854775807":            maxRetryAfter,
		"Mon, 23 Nov 2026 10:00:30 GMT":  30 * time.Second,
		"Monday, 23-Nov-26 10:00:30 GMT": 30 * time.Second,
		"Mon, 23 Nov 2026 09:00:30 GMT":  0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("retryAfter(%q) = %v; want %v", value, got, want)
		}
	}
}

// TestRetryAfterIsRead has the header in answers of a collector: it counts where a retry is due.
func TestRetryAfterIsRead(t *testing.T) {
	for code, want := range map[int]time.Duration{429: 7 * time.Minute, 502: 7 * time.Minute, 503: 7 * time.Minute, 504: 7 * time.Minute, 500: 0} {
		c := startCollector(t, ProtocolHTTPBinary, false, "", func(received) answer {
			return answer{code: code, header: http.Header{"Retry-After": {"420"}}}
		})
		x := open(t, c.config())
		if got := x.courier.sender.send(t.Context(), nil).after; got != want {
			t.Errorf("after %d, the next try is asked for in %v; want %v", code, got, want)
		}
	}
}

func TestUnreachableHidesURL(t *testing.T) {
	x := open(t, Config{Endpoint: "http://user:password1@127.0.0.1:1/secret-path"})
	x.Record(delta())
	err := x.Flush(t.Context())
	if err == nil {
		t.Fatal("Flush() = nil; want an error")
	}
	if got, want := x.Stats().LastError, "dial failed: connect: connection refused"; got != want {
		t.Errorf("LastError = %q; want %q", got, want)
	}
}

func TestUnreachableWithoutURLError(t *testing.T) {
	if got := unreachable(errors.New("odd")); got.verdict != verdictRetry || got.text() != "connection failed: odd" {
		t.Errorf("unreachable() = %+v", got)
	}
}
