package otlp

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/grpc"
	grpcbackoff "google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	protocodec "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	// maxReconnectDelay keeps the connection's own back-off below this package's.
	maxReconnectDelay = 5 * time.Second
	// reconnectWait is how long a try waits for a connection that failed before.
	reconnectWait = time.Second
)

// grpcSender sends payloads through the SDK's gRPC exporter, which owns the
// connection, its TLS, metadata and compression. The exporter takes SDK records
// only, so it is handed an empty one, and an interceptor puts the payload in
// the place of the request made of that.
type grpcSender struct {
	exporter *otlploggrpc.Exporter
	timeout  time.Duration
}

var _ sender = (*grpcSender)(nil)

func newGRPCSender(cfg Config, endpoint *url.URL) (*grpcSender, error) {
	transport := insecure.NewCredentials()
	port := "80"
	if endpoint.Scheme == "https" {
		transport = credentials.NewTLS(cfg.TLS)
		if cfg.TLS == nil {
			transport = credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
		}
		port = "443"
	}
	target := endpoint.Host
	if endpoint.Port() == "" {
		target += ":" + port
	}
	compressor := "none"
	if cfg.Gzip {
		compressor = "gzip"
	}
	headers := make(map[string]string, len(cfg.Headers)) // Not nil, which would let the environment's in.
	maps.Copy(headers, cfg.Headers)
	exporter, err := otlploggrpc.New(
		context.Background(),
		// Every setting is given, so that the environment has no say.
		otlploggrpc.WithEndpoint("dns:///"+target),
		otlploggrpc.WithTLSCredentials(transport),
		otlploggrpc.WithHeaders(headers),
		otlploggrpc.WithCompressor(compressor),
		otlploggrpc.WithTimeout(cfg.Timeout),
		otlploggrpc.WithRetry(otlploggrpc.RetryConfig{Enabled: false}),
		otlploggrpc.WithDialOption(
			grpc.WithUnaryInterceptor(replaceRequest),
			grpc.WithUserAgent(cfg.UserAgent),
			// A proxy from the environment may well be this very process.
			grpc.WithNoProxy(),
			// No lookup of TXT records, no retries that nobody counts.
			grpc.WithDisableServiceConfig(),
			grpc.WithDisableRetry(),
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           grpcbackoff.Config{BaseDelay: firstBackoff, Multiplier: 1.6, Jitter: 0.2, MaxDelay: maxReconnectDelay},
				MinConnectTimeout: cfg.Timeout,
			}),
			// Without pings a connection that died silently fails every try
			// until the kernel gives it up.
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
		),
	)
	if err != nil {
		return nil, fmt.Errorf("open grpc exporter: %w", err)
	}
	return &grpcSender{exporter: exporter, timeout: cfg.Timeout}, nil
}

// ride carries a payload to the interceptor and the reply back.
type ride struct {
	payload []byte
	partial *collogpb.ExportLogsPartialSuccess
	sent    bool
	err     error // of the request that was sent
}

type rideKey struct{}

// send implements sender.
func (s *grpcSender) send(ctx context.Context, payload []byte) reply {
	r := &ride{payload: payload}
	err := s.exporter.Export(context.WithValue(ctx, rideKey{}, r), make([]sdklog.Record, 1))
	if !r.sent {
		// Such as a context that ended before. Nobody refused anything.
		return reply{verdict: verdictRetry, cause: "not sent", detail: fmt.Sprint(err)}
	}
	// The exporter's error is the ride's and what else the ride has in detail.
	if r.err != nil {
		return judgeStatus(status.Convert(r.err))
	}
	return reply{
		verdict:  verdictAccepted,
		cause:    "grpc OK",
		rejected: r.partial.GetRejectedLogRecords(),
		detail:   r.partial.GetErrorMessage(),
	}
}

// close implements sender.
func (s *grpcSender) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	if err := s.exporter.Shutdown(ctx); err != nil {
		return fmt.Errorf("close grpc exporter: %w", err)
	}
	return nil
}

// replaceRequest is a grpc.UnaryClientInterceptor that sends the payload of the
// ride in ctx instead of the request.
func replaceRequest(
	ctx context.Context, method string, _, response any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	r, ok := ctx.Value(rideKey{}).(*ride)
	if !ok {
		return status.Error(codes.Internal, "no payload to send")
	}
	awaitConnection(ctx, conn)
	r.sent = true
	r.err = invoke(ctx, method, rawPayload(r.payload), response, conn, append(opts, grpc.ForceCodecV2(rawCodec{}))...)
	if told, ok := response.(*collogpb.ExportLogsServiceResponse); ok && r.err == nil {
		r.partial = told.GetPartialSuccess()
	}
	return r.err
}

// awaitConnection gives a connection that failed a new start. Otherwise a try
// would only be told of the last failure, while the collector may be back.
func awaitConnection(ctx context.Context, conn *grpc.ClientConn) {
	if conn.GetState() != connectivity.TransientFailure {
		return
	}
	conn.ResetConnectBackoff()
	ctx, cancel := context.WithTimeout(ctx, reconnectWait)
	defer cancel()
	conn.WaitForStateChange(ctx, connectivity.TransientFailure)
}

// judgeStatus says what a gRPC status means, by the OTLP specification
// (opentelemetry.io/docs/specs/otlp, "Failures").
func judgeStatus(s *status.Status) reply {
	r := reply{cause: "grpc " + s.Code().String(), detail: s.Message()}
	delay, asked := retryInfo(s)
	switch s.Code() {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
		r.verdict, r.after = verdictRetry, delay
	case codes.ResourceExhausted:
		r.verdict = verdictTooLarge
		if asked {
			r.verdict, r.after = verdictRetry, delay
		}
	case codes.InvalidArgument:
		r.verdict = verdictInvalid
	default:
		r.verdict = verdictRefused
	}
	return r
}

// retryInfo returns the delay of a google.rpc.RetryInfo and whether there is
// one.
func retryInfo(s *status.Status) (time.Duration, bool) {
	for _, detail := range s.Details() {
		if info, ok := detail.(interface{ GetRetryDelay() *durationpb.Duration }); ok {
			return max(0, info.GetRetryDelay().AsDuration()), true
		}
	}
	return 0, false
}

// rawPayload is a request that is encoded already.
type rawPayload []byte

// rawCodec sends rawPayloads as they are and reads responses as the default
// codec does.
type rawCodec struct{}

var _ encoding.CodecV2 = rawCodec{}

// Marshal implements encoding.CodecV2.
func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	payload, ok := v.(rawPayload)
	if !ok {
		return nil, fmt.Errorf("encode %T: not a payload", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(payload)}, nil
}

// Unmarshal implements encoding.CodecV2.
func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	return encoding.GetCodecV2(protocodec.Name).Unmarshal(data, v)
}

// Name implements encoding.CodecV2. It is part of the content type.
func (rawCodec) Name() string { return protocodec.Name }
