package otlp

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"
)

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

func TestTryThatWasNotSentIsRepeated(t *testing.T) {
	c := startCollector(t, ProtocolGRPC, false, "", nil)
	s, err := newGRPCSender(c.config().withDefaults(), &url.URL{Scheme: "http", Host: strings.TrimPrefix(c.url, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := s.send(ctx, nil); got.verdict != verdictRetry {
		t.Errorf("send() after the context = %+v; want a retry", got)
	}
	if err := s.close(); err != nil {
		t.Errorf("close() = %v", err)
	}
	if got := s.send(t.Context(), nil); got.verdict != verdictRetry {
		t.Errorf("send() after close = %+v; want a retry", got)
	}
	if seen, _ := c.requests(); len(seen) != 0 {
		t.Errorf("collector saw %d requests; want none", len(seen))
	}
}

func TestRetryInfoDelay(t *testing.T) {
	if got := judgeStatus(withRetryInfo(t, codes.Unavailable, 90*time.Second)); got.verdict != verdictRetry || got.after != 90*time.Second {
		t.Errorf("judgeStatus() = %+v; want a retry after 90 s", got)
	}
}
