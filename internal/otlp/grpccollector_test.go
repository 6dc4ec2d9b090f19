package otlp

import (
	"context"
	"net/http"

	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/proto"
)

type grpcService struct {
	collogpb.UnimplementedLogsServiceServer
	collector *collector
}

func (s *grpcService) Export(ctx context.Context, request *collogpb.ExportLogsServiceRequest) (*collogpb.ExportLogsServiceResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	header := make(http.Header)
	for name, values := range md {
		header[http.CanonicalHeaderKey(name)] = values
	}
	compression, _ := ctx.Value(compressionKey{}).(*string)
	a := s.collector.take(received{request: request, header: header, compression: *compression, size: proto.Size(request)})
	if a.hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if a.status != nil {
		return nil, a.status.Err()
	}
	return &collogpb.ExportLogsServiceResponse{PartialSuccess: &collogpb.ExportLogsPartialSuccess{
		RejectedLogRecords: a.rejected, ErrorMessage: a.message,
	}}, nil
}

type compressionKey struct{}

// compressionSeen notes how a request was compressed.
type compressionSeen struct{}

func (compressionSeen) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, compressionKey{}, new(string))
}

func (compressionSeen) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if header, ok := s.(*stats.InHeader); ok {
		if seen, ok := ctx.Value(compressionKey{}).(*string); ok {
			*seen = header.Compression
		}
	}
}

func (compressionSeen) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (compressionSeen) HandleConn(context.Context, stats.ConnStats) {}
