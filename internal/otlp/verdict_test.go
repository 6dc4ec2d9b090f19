package otlp

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"
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

// withRetryInfo returns a status with a google.rpc.RetryInfo, whose type the
// exporter's own imports register.
func withRetryInfo(t *testing.T, code codes.Code, delay time.Duration) *status.Status {
	t.Helper()
	kind, err := protoregistry.GlobalTypes.FindMessageByName("google.rpc.RetryInfo")
	if err != nil {
		t.Fatal(err)
	}
	info := kind.New()
	info.Set(info.Descriptor().Fields().ByName("retry_delay"), protoreflect.ValueOfMessage(durationpb.New(delay).ProtoReflect()))
	s, err := status.New(code, "later").WithDetails(protoadapt.MessageV1Of(info.Interface()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestGRPCStatuses(t *testing.T) {
	var (
		retried  = outcome{Queued: 2, Tries: 1}
		refused  = outcome{Refused: 2, Tries: 1}
		poison   = outcome{Refused: 2, Tries: 3}
		tooLarge = outcome{TooLarge: 2, Tries: 3}
	)
	for _, test := range []struct {
		status *status.Status
		want   outcome
	}{
		{status.New(codes.Canceled, ""), retried},
		{status.New(codes.Unknown, ""), refused},
		{status.New(codes.InvalidArgument, ""), poison},
		{status.New(codes.DeadlineExceeded, ""), retried},
		{status.New(codes.NotFound, ""), refused},
		{status.New(codes.AlreadyExists, ""), refused},
		{status.New(codes.PermissionDenied, ""), refused},
		{status.New(codes.ResourceExhausted, ""), tooLarge},
		{withRetryInfo(t, codes.ResourceExhausted, time.Second), retried},
		{status.New(codes.FailedPrecondition, ""), refused},
		{status.New(codes.Aborted, ""), retried},
		{status.New(codes.OutOfRange, ""), retried},
		{status.New(codes.Unimplemented, ""), refused},
		{status.New(codes.Internal, ""), refused},
		{withRetryInfo(t, codes.Internal, time.Second), refused},
		{status.New(codes.Unavailable, ""), retried},
		{withRetryInfo(t, codes.Unavailable, time.Second), retried},
		{status.New(codes.DataLoss, ""), retried},
		{status.New(codes.Unauthenticated, ""), refused},
	} {
		name := test.status.Code().String()
		if len(test.status.Details()) > 0 {
			name += " with RetryInfo"
		}
		t.Run(name, func(t *testing.T) {
			c := startCollector(t, ProtocolGRPC, false, "", func(received) answer { return answer{status: test.status} })
			if got := flushTwo(t, c); got != test.want {
				t.Errorf("outcome = %+v; want %+v", got, test.want)
			}
		})
	}
}

func TestRetryInfoDelay(t *testing.T) {
	if got := judgeStatus(withRetryInfo(t, codes.Unavailable, 90*time.Second)); got.verdict != verdictRetry || got.after != 90*time.Second {
		t.Errorf("judgeStatus() = %+v; want a retry after 90 s", got)
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

func TestBackoff(t *testing.T) {
	var b backoff
	for i := range 40 {
		ceiling := 30 * time.Second
		if i < 6 {
			ceiling = 500 * time.Millisecond << i
		}
		if got := b.next(0); got < ceiling/2 || got > ceiling {
			t.Errorf("wait %d = %v; want %v to %v", i, got, ceiling/2, ceiling)
		}
	}
	if got := b.next(5 * time.Minute); got != 5*time.Minute {
		t.Errorf("next(5m) = %v; want what was asked", got)
	}
	if got := b.next(24 * time.Hour); got != maxRetryAfter {
		t.Errorf("next(24h) = %v; want %v", got, maxRetryAfter)
	}
	b.reset()
	if got := b.next(0); got > firstBackoff {
		t.Errorf("wait after reset = %v; want at most %v", got, firstBackoff)
	}
}

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
	for _, rejected := range []int64{-5, 1000} {
		c := startCollector(t, ProtocolHTTPBinary, false, "", func(received) answer { return answer{rejected: rejected} })
		x := open(t, c.config())
		x.Record(delta())
		if err := x.Flush(t.Context()); err != nil {
			t.Errorf("Flush() = %v", err)
		}
		if s := x.Stats(); s.Rejected+s.Delivered != 1 || s.Rejected < 0 || s.Delivered < 0 || s.Queued != 0 {
			t.Errorf("Stats() = %+v with %d rejected", s, rejected)
		}
	}
}

func TestStrangeSuccessBodies(t *testing.T) {
	for name, a := range map[string]answer{
		"html":            {body: "<html>ok</html>", header: http.Header{"Content-Type": {"text/html"}}},
		"broken json":     {body: `{"partialSuccess":{"rejectedLogRecords":`, header: http.Header{"Content-Type": {contentTypeJSON}}},
		"other json":      {body: `["x"]`, header: http.Header{"Content-Type": {contentTypeJSON}}},
		"broken protobuf": {body: "\xff\xff\xff", header: http.Header{"Content-Type": {contentTypeProto}}},
		"endless":         {body: string(make([]byte, 1<<20)), header: http.Header{"Content-Type": {contentTypeProto}}},
	} {
		t.Run(name, func(t *testing.T) {
			c := startCollector(t, ProtocolHTTPJSON, false, "", func(received) answer { return a })
			if got, want := flushTwo(t, c), (outcome{Delivered: 2, Tries: 1}); got != want {
				t.Errorf("outcome = %+v; want %+v", got, want)
			}
		})
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
