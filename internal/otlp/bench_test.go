package otlp

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/grpc"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// sink is an outbox that keeps nothing, so that a benchmark measures recording.
type sink struct{ outbox.Outbox }

func (sink) Append(outbox.Entry) {}
func (sink) Close() int          { return 0 }

func benchmarkRecord(b *testing.B, r events.Record) {
	b.Helper()
	scope := *r.Scope
	scope.Memo = new(events.Memo)
	r.Scope = &scope
	x := openScripted(Config{Outbox: sink{}}, &scripted{})
	defer x.Close()
	b.ReportAllocs()
	for b.Loop() {
		x.Record(r)
	}
}

func BenchmarkRecordDelta(b *testing.B) { benchmarkRecord(b, delta()) }

func BenchmarkRecordCompleted(b *testing.B) { benchmarkRecord(b, completed()) }

// BenchmarkSend sends a full batch of deltas to a receiver on loopback, one after another. The receiver's time is in it:
// that of one that reads and drops the bytes, and over gRPC decodes them as well.
func BenchmarkSend(b *testing.B) {
	payload, records := fullBatch(b)
	for name, protocol := range map[string]Protocol{"binary": ProtocolHTTPBinary, "json": ProtocolHTTPJSON, "grpc": ProtocolGRPC} {
		b.Run(name, func(b *testing.B) {
			s := discarding(b, protocol)
			defer func() { _ = s.close() }()
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				if r := s.send(b.Context(), payload); r.verdict != verdictAccepted {
					b.Fatalf("not taken: %s", r.text())
				}
			}
			b.ReportMetric(float64(b.N*records)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// fullBatch returns the payload of a batch as large as one gets, and how many records it has.
func fullBatch(b *testing.B) (payload []byte, records int) {
	b.Helper()
	kept := &keptBatches{}
	x := openScripted(Config{Outbox: kept}, &scripted{})
	defer x.Close()
	for r := delta(); len(kept.entries) == 0; {
		x.Record(r)
	}
	return kept.entries[0].Payload, kept.entries[0].Records
}

// keptBatches is an outbox that keeps what it is given.
type keptBatches struct {
	sink

	entries []outbox.Entry
}

func (k *keptBatches) Append(e outbox.Entry) { k.entries = append(k.entries, e) }

// discarding returns a sender to a receiver that reads and drops what comes.
func discarding(b *testing.B, protocol Protocol) sender {
	b.Helper()
	if protocol == ProtocolGRPC {
		return discardingGRPC(b)
	}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	b.Cleanup(server.Close)
	return newHTTPSender(Config{Protocol: protocol, Endpoint: server.URL, Timeout: patience})
}

// discardingGRPC returns a sender to a gRPC receiver that drops what comes.
func discardingGRPC(b *testing.B) sender {
	b.Helper()
	listener, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := grpc.NewServer()
	collogpb.RegisterLogsServiceServer(server, dropping{})
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	b.Cleanup(func() { server.Stop(); <-done })
	s, err := newGRPCSender(Config{Timeout: patience}, &url.URL{Scheme: "http", Host: listener.Addr().String()})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// dropping takes everything.
type dropping struct {
	collogpb.UnimplementedLogsServiceServer
}

func (dropping) Export(context.Context, *collogpb.ExportLogsServiceRequest) (*collogpb.ExportLogsServiceResponse, error) {
	return &collogpb.ExportLogsServiceResponse{}, nil
}
