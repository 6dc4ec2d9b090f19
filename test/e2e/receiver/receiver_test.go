package receiver_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

func statusCode(err error) codes.Code { return status.Code(err) }

var transports = []struct {
	name        string
	send        sender
	contentType string
	ok          int
}{
	{"http protobuf", sendHTTPProtobuf, "application/x-protobuf", 200},
	{"http json", sendHTTPJSON, "application/json", 200},
	{"grpc gzip", sendGRPC, "application/grpc", int(codes.OK)},
}

func TestReceiverTakesEveryTransport(t *testing.T) {
	for _, tls := range []bool{false, true} {
		r := receiver.Start(t, receiver.Options{TLS: tls})
		for i, transport := range transports {
			ctx := bounded(t)
			if got := transport.send(ctx, t, r, "codex.test"); got != transport.ok {
				t.Errorf("%s, TLS %t: status %d; want %d", transport.name, tls, got, transport.ok)
			}
			records, err := r.Sink.Wait(ctx, i+1)
			if err != nil {
				t.Fatalf("%s, TLS %t: %v", transport.name, tls, err)
			}
			want := receiver.Record{
				Resource:  map[string]any{"env": "test"},
				Scope:     "hand",
				EventName: "codex.test",
				Time:      time.Unix(0, 1700000000000000001).UTC(),
				Observed:  time.Unix(0, 1700000000000000002).UTC(),
				Severity:  "ERROR",
				Level:     17,
				Body:      "a body",
				Attrs: map[string]any{
					"event.name": "codex.test", "count": int64(3), "flag": true, "ratio": 0.5,
				},
				Duplicates: []string{"count"},
			}
			if diff := cmp.Diff(want, records[i]); diff != "" {
				t.Errorf("%s, TLS %t: record differs (-want +got):\n%s", transport.name, tls, diff)
			}
			batch := r.Sink.Batches()[i]
			if got := batch.Header("content-type"); got != transport.contentType {
				t.Errorf("%s, TLS %t: content type %q; want %q", transport.name, tls, got, transport.contentType)
			}
			if got := batch.Header("X-OTLP-Meta"); got != "abc123" {
				t.Errorf("%s, TLS %t: header %q; want %q", transport.name, tls, got, "abc123")
			}
		}
	}
}

func TestReceiverRefuses(t *testing.T) {
	tests := []struct {
		failure receiver.Failure
		http    int
		grpc    codes.Code
	}{
		{receiver.Unavailable, 503, codes.Unavailable},
		{receiver.Internal, 500, codes.Internal},
		{receiver.Exhausted, 429, codes.ResourceExhausted},
		{receiver.Invalid, 400, codes.InvalidArgument},
	}
	r := receiver.Start(t, receiver.Options{})
	ctx := bounded(t)
	for i, test := range tests {
		r.Sink.FailNext(test.failure, 2)
		if got := sendHTTPProtobuf(ctx, t, r, "refused"); got != test.http {
			t.Errorf("failure %d over HTTP: status %d; want %d", test.failure, got, test.http)
		}
		if got := codes.Code(sendGRPC(ctx, t, r, "refused")); got != test.grpc {
			t.Errorf("failure %d over gRPC: status %s; want %s", test.failure, got, test.grpc)
		}
		if got := r.Sink.Refused(); got != 2*(i+1) {
			t.Errorf("Refused() = %d; want %d", got, 2*(i+1))
		}
		if got := sendHTTPJSON(ctx, t, r, "taken"); got != 200 {
			t.Errorf("after failure %d: status %d; want 200", test.failure, got)
		}
	}
	if got := len(receiver.Named(r.Sink.Records(), "taken")); got != len(tests) || len(r.Sink.Records()) != len(tests) {
		t.Errorf("%d of %d records are those not refused; want %d", got, len(r.Sink.Records()), len(tests))
	}
}

func TestReceiverHangs(t *testing.T) {
	r := receiver.Start(t, receiver.Options{})
	r.Sink.Fail(receiver.Hang)
	ctx, leave := context.WithCancel(bounded(t))
	answers := make(chan int, 2)
	go func() { answers <- sendHTTPProtobuf(ctx, t, r, "hangs") }()
	go func() { answers <- sendHTTPJSON(bounded(t), t, r, "hangs") }()
	if err := r.Sink.WaitRefused(ctx, 2); err != nil {
		t.Fatal(err)
	}
	leave()
	if got := <-answers; got != 0 {
		t.Errorf("status %d for the client that left; want none", got)
	}
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
	if got := <-answers; got != 503 {
		t.Errorf("status %d for the client that stayed; want 503", got)
	}
	if got := r.Sink.Records(); len(got) != 0 {
		t.Errorf("%d records were taken; want none", len(got))
	}
}

func TestReceiverRestarts(t *testing.T) {
	ctx := bounded(t)
	first := receiver.Start(t, receiver.Options{})
	sendGRPC(ctx, t, first, "before")
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := codes.Code(sendGRPC(ctx, t, first, "lost")); got != codes.Unavailable {
		t.Errorf("status %s from a stopped receiver; want %s", got, codes.Unavailable)
	}
	second := receiver.Start(t, receiver.Options{GRPCAddr: first.GRPCAddr(), HTTPAddr: first.HTTPAddr(), Sink: first.Sink})
	sendHTTPJSON(ctx, t, first, "after")
	if got := len(second.Sink.Records()); got != 2 {
		t.Errorf("%d records in the sink of both; want 2", got)
	}
}

func TestSinkWaitTellsHowManyThereAre(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := receiver.NewSink().Wait(ctx, 1)
	if want := "wait for records: 0 so far: context canceled"; err == nil || err.Error() != want {
		t.Errorf("Wait() error = %v; want %s", err, want)
	}
}

func bounded(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Second)
	tb.Cleanup(cancel)
	return ctx
}
