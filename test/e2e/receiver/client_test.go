package receiver_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"testing"

	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// A sender posts one record named name, as little as OTLP allows, and returns the status of the answer: 200 or gRPC's 0.
type sender func(ctx context.Context, tb testing.TB, r *receiver.Receiver, name string) int

func sendHTTPProtobuf(ctx context.Context, tb testing.TB, r *receiver.Receiver, name string) int {
	tb.Helper()
	body, err := proto.Marshal(request(name))
	if err != nil {
		tb.Fatal(err)
	}
	return post(ctx, tb, r, "application/x-protobuf", body)
}

// sendHTTPJSON writes the JSON by hand, since protojson's is not OTLP's.
func sendHTTPJSON(ctx context.Context, tb testing.TB, r *receiver.Receiver, name string) int {
	tb.Helper()
	return post(ctx, tb, r, "application/json", []byte(`{"resourceLogs":[{
		"resource":{"attributes":[{"key":"env","value":{"stringValue":"test"}}]},
		"scopeLogs":[{"scope":{"name":"hand"},"logRecords":[{
			"timeUnixNano":"1700000000000000001","observedTimeUnixNano":"1700000000000000002",
			"severityNumber":17,"severityText":"ERROR","eventName":"`+name+`","body":{"stringValue":"a body"},
			"attributes":[
				{"key":"event.name","value":{"stringValue":"`+name+`"}},
				{"key":"count","value":{"intValue":"3"}},
				{"key":"flag","value":{"boolValue":true}},
				{"key":"ratio","value":{"doubleValue":0.5}},
				{"key":"count","value":{"intValue":"3"}}]}]}]}]}`))
}

func sendGRPC(ctx context.Context, tb testing.TB, r *receiver.Receiver, name string) int {
	tb.Helper()
	creds := insecure.NewCredentials()
	if r.CAFile() != "" {
		creds = credentials.NewTLS(trust(tb, r))
	}
	conn, err := grpc.NewClient(r.GRPCAddr(), grpc.WithTransportCredentials(creds))
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	ctx = metadata.AppendToOutgoingContext(ctx, "x-otlp-meta", "abc123")
	_, err = collogpb.NewLogsServiceClient(conn).Export(ctx, request(name), grpc.UseCompressor(gzip.Name))
	return int(statusCode(err))
}

func post(ctx context.Context, tb testing.TB, r *receiver.Receiver, contentType string, body []byte) int {
	tb.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.HTTPEndpoint(), bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("X-Otlp-Meta", "abc123")
	transport := &http.Transport{TLSClientConfig: trust(tb, r)}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return 0
	}
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		tb.Fatal(err)
	}
	return resp.StatusCode
}

// trust returns a client configuration that knows nobody but the authority of r; nil without TLS.
func trust(tb testing.TB, r *receiver.Receiver) *tls.Config {
	tb.Helper()
	if r.CAFile() == "" {
		return nil
	}
	pem, err := os.ReadFile(r.CAFile())
	if err != nil {
		tb.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		tb.Fatalf("no certificate in %s", r.CAFile())
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func request(name string) *collogpb.ExportLogsServiceRequest {
	return &collogpb.ExportLogsServiceRequest{ResourceLogs: []*logspb.ResourceLogs{{
		Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{text("env", "test")}},
		ScopeLogs: []*logspb.ScopeLogs{{
			Scope: &commonpb.InstrumentationScope{Name: "hand"},
			LogRecords: []*logspb.LogRecord{{
				TimeUnixNano:         1700000000000000001,
				ObservedTimeUnixNano: 1700000000000000002,
				SeverityNumber:       logspb.SeverityNumber_SEVERITY_NUMBER_ERROR,
				SeverityText:         "ERROR",
				EventName:            name,
				Body:                 text("", "a body").GetValue(),
				Attributes: []*commonpb.KeyValue{
					text("event.name", name),
					{Key: "count", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: 3}}},
					{Key: "flag", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{BoolValue: true}}},
					{Key: "ratio", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: 0.5}}},
					{Key: "count", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: 3}}},
				},
			}},
		}},
	}}}
}

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}
