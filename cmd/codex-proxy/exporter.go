package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/otlp"
	"github.com/codex-proxy/codex-proxy/internal/store"
)

// exporterKind names the exporter for the log.
func exporterKind(cfg config.Exporter) string {
	switch {
	case cfg.GRPC != nil:
		return "otlp-grpc"
	case cfg.HTTP != nil:
		return "otlp-http"
	default:
		return "none"
	}
}

// newExporter returns the configured exporter; for none, what writes the history, or nil if there is none either. It closes the
// store, if there is one.
func newExporter(cfg *config.Config, disk *store.Store, logger *slog.Logger) (*otlp.Exporter, error) {
	c := otlp.Config{
		Version: buildVersion(),
		Encoder: &events.Encoder{Schema: schemaOf(cfg.OTel.Schema)},
		Queue:   otlp.QueueLimits{MaxRecords: cfg.Queue.MaxRecords, MaxBytes: cfg.Queue.MaxBytes},
		Logger:  logger,
	}
	if disk != nil {
		c.Outbox, c.Batch.MaxDelay = disk, sealDelay
	}
	var files *config.TLS
	switch http, grpc := cfg.OTel.Exporter.HTTP, cfg.OTel.Exporter.GRPC; {
	case http != nil:
		c.Protocol = otlp.ProtocolHTTPBinary
		if http.Protocol == config.ProtocolJSON {
			c.Protocol = otlp.ProtocolHTTPJSON
		}
		c.Endpoint, c.Headers, c.Timeout = http.Endpoint, reveal(http.Headers), http.Timeout
		c.Gzip, files = http.Compression == config.CompressionGzip, http.TLS
	case grpc != nil:
		c.Protocol = otlp.ProtocolGRPC
		c.Endpoint, c.Headers, c.Timeout = grpc.Endpoint, reveal(grpc.Headers), grpc.Timeout
		c.Gzip, files = grpc.Compression == config.CompressionGzip, grpc.TLS
	case disk != nil:
		return otlp.NewLocal(c), nil
	default:
		return nil, nil //nolint:nilnil // no exporter is a choice, not an error
	}
	var err error
	if c.TLS, err = clientTLS(files); err != nil {
		return nil, fmt.Errorf("set up exporter: %w", err)
	}
	exporter, err := otlp.New(c)
	if err != nil {
		return nil, fmt.Errorf("set up exporter: %w", err)
	}
	return exporter, nil
}

// reveal returns headers as they are sent.
func reveal(headers map[string]config.Secret) map[string]string {
	revealed := make(map[string]string, len(headers))
	for name, value := range headers {
		revealed[name] = value.Reveal()
	}
	return revealed
}

// clientTLS reads the files of a TLS table; without a table it returns nil.
func clientTLS(files *config.TLS) (*tls.Config, error) {
	if files == nil {
		return nil, nil //nolint:nilnil // nil stands for the defaults
	}
	roots, err := rootCAs(files.CACertificate)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if files.ClientCertificate != "" {
		pair, err := tls.LoadX509KeyPair(files.ClientCertificate, files.ClientPrivateKey)
		if err != nil {
			return nil, fmt.Errorf("load client certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// rootCAs reads a PEM file of trust roots; without a file it returns nil, which stands for the system's.
func rootCAs(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // nil stands for the system's roots
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read trust roots: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read trust roots: no certificate in %s", file)
	}
	return roots, nil
}
