// Package receiver runs the OpenTelemetry Collector's own OTLP receiver inside a test, so that what an exporter sends is
// judged by the code that judges it in production, and keeps what arrives as plain records.
package receiver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// stopTimeout bounds the shutdown of the HTTP server, which waits for requests that are being answered.
const stopTimeout = 10 * time.Second

// The keys that tests give to agents. Nothing that arrives may have one of them: the test fails at its end.
const (
	AgentKey = "sk-agent-d1f0c94e" // of those that tests play
	CLIKey   = "sk-test"           // of the real CLIs
)

// Options say how to run a receiver. The zero value listens without TLS on free loopback ports and keeps records in a sink
// of its own.
type Options struct {
	GRPCAddr string // host:port for OTLP/gRPC; empty: a free loopback port
	HTTPAddr string // host:port for OTLP/HTTP; empty: a free loopback port
	TLS      bool   // serve both with a certificate from a CA made for this receiver, which [Receiver.CAFile] names
	Sink     *Sink  // where records go; nil: a new one. Pass an earlier receiver's to model a restart
}

// Receiver is a running OTLP receiver for logs over gRPC and HTTP (protobuf and JSON).
type Receiver struct {
	Sink *Sink // everything that arrived

	logs     receiver.Logs
	grpcAddr string
	httpAddr string
	scheme   string
	caFile   string
	stop     func() error
}

// Start runs a receiver until the test ends or [Receiver.Stop] is called. It fails the test when the receiver cannot start.
func Start(tb testing.TB, opts Options) *Receiver {
	tb.Helper()
	r := &Receiver{Sink: opts.Sink, scheme: "http"}
	if r.Sink == nil {
		r.Sink = NewSink()
	}

	factory := otlpreceiver.NewFactory()
	cfg, ok := factory.CreateDefaultConfig().(*otlpreceiver.Config)
	if !ok {
		tb.Fatalf("otlpreceiver config is a %T", factory.CreateDefaultConfig())
	}
	grpcCfg := cfg.Protocols.GRPC.GetOrInsertDefault()
	grpcCfg.NetAddr = listenAddr(opts.GRPCAddr)
	grpcCfg.IncludeMetadata = true
	httpCfg := &cfg.Protocols.HTTP.GetOrInsertDefault().ServerConfig
	httpCfg.NetAddr = listenAddr(opts.HTTPAddr)
	httpCfg.IncludeMetadata = true
	if opts.TLS {
		files := writeCertificates(tb)
		tlsCfg := configtls.NewDefaultServerConfig()
		tlsCfg.CertFile, tlsCfg.KeyFile = files.cert, files.key
		grpcCfg.TLS, httpCfg.TLS = configoptional.Some(tlsCfg), configoptional.Some(tlsCfg)
		r.scheme, r.caFile = "https", files.ca
	}

	// The receiver does not tell its ports but in what it logs.
	core, logged := observer.New(zap.InfoLevel)
	settings := receivertest.NewNopSettings(factory.Type())
	settings.Logger = zap.New(core)
	ctx := context.WithoutCancel(tb.Context())
	var err error
	if r.logs, err = factory.CreateLogs(ctx, settings, cfg, r.Sink); err != nil {
		tb.Fatalf("create OTLP receiver: %v", err)
	}
	if err = r.logs.Start(ctx, componenttest.NewNopHost()); err != nil {
		tb.Fatalf("start OTLP receiver: %v", err)
	}
	r.stop = sync.OnceValue(func() error {
		r.Sink.Fail(None) // releases requests that hang, which the shutdown would wait for
		ctx, cancel := context.WithTimeout(ctx, stopTimeout)
		defer cancel()
		return r.logs.Shutdown(ctx)
	})
	tb.Cleanup(func() {
		if err := r.Stop(); err != nil {
			tb.Errorf("stop OTLP receiver: %v", err)
		}
		for _, batch := range r.Sink.Batches() {
			if text := fmt.Sprintf("%+v", batch); strings.Contains(text, AgentKey) || strings.Contains(text, CLIKey) {
				tb.Errorf("a batch has the key of an agent: %.2000s", text)
			}
		}
	})
	r.grpcAddr, err = loggedAddr(logged, "Starting GRPC server")
	var errHTTP error
	r.httpAddr, errHTTP = loggedAddr(logged, "Starting HTTP server")
	if err = errors.Join(err, errHTTP); err != nil {
		tb.Fatal(err)
	}
	return r
}

// Stop ends the receiver as a collector that goes away: its ports refuse connections from then on. Requests that hang are
// answered with a temporary failure. Later calls return what the first one did.
func (r *Receiver) Stop() error { return r.stop() }

// GRPCAddr is the host:port of the gRPC listener.
func (r *Receiver) GRPCAddr() string { return r.grpcAddr }

// HTTPAddr is the host:port of the HTTP listener.
func (r *Receiver) HTTPAddr() string { return r.httpAddr }

// GRPCEndpoint is the gRPC listener as Codex's otlp-grpc exporter wants it: scheme, host and port.
func (r *Receiver) GRPCEndpoint() string { return r.scheme + "://" + r.grpcAddr }

// HTTPEndpoint is the URL that logs are posted to, as Codex's otlp-http exporter wants it.
func (r *Receiver) HTTPEndpoint() string { return r.scheme + "://" + r.httpAddr + "/v1/logs" }

// CAFile names a PEM file with the certificate of the authority that vouches for a TLS receiver; empty without TLS.
func (r *Receiver) CAFile() string { return r.caFile }

func listenAddr(addr string) confignet.AddrConfig {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	return confignet.AddrConfig{Endpoint: addr, Transport: confignet.TransportTypeTCP}
}

func loggedAddr(logged *observer.ObservedLogs, message string) (string, error) {
	entries := logged.FilterMessage(message).All()
	for i := range entries {
		if addr, ok := entries[i].ContextMap()["endpoint"].(string); ok {
			return addr, nil
		}
	}
	return "", fmt.Errorf("find address of OTLP receiver: no log entry %q with an endpoint", message)
}
