package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync/atomic"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/console"
	"github.com/codex-proxy/codex-proxy/internal/otlp"
	"github.com/codex-proxy/codex-proxy/internal/redact"
	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
	"github.com/codex-proxy/codex-proxy/internal/store"
	"github.com/codex-proxy/codex-proxy/proxy"
)

// service is everything that serves, wired together.
type service struct {
	limits   config.Server
	upstream *url.URL
	logger   *slog.Logger
	panics   atomic.Int64 // of parts under supervise
	unused   unusedConns
	probe    probe

	health   *console.Health
	hub      *console.Hub
	metrics  *console.Metrics
	exporter *otlp.Exporter // nil without one and without a history
	store    *store.Store   // what the exporter sends from, and the history; nil for memory
	history  bool           // the store keeps one
	sends    bool           // the exporter has a collector
	unsent   unsent         // the books without an exporter
	reports  *report.Handler
	merger   *report.Merger
	guard    *proxy.Guard
	sessions *session.Tracker
	scanner  *redact.Scanner
	hashKey  []byte // of contents; nil if none is hashed
	proxy    *proxy.Handler
}

// newService wires a service that will be reached at listen. Whoever calls run need not release anything else.
func newService(cfg *config.Config, logger *slog.Logger, listen net.Addr) (*service, error) {
	s := &service{
		limits:  cfg.Server,
		logger:  logger,
		health:  &console.Health{},
		metrics: console.NewMetrics(buildVersion()),
		guard:   proxy.NewGuard(cfg.Guard.AllowedHosts, cfg.Guard.AllowedOrigins),
		hub: console.NewHub(console.HubConfig{
			MaxRecords: cfg.Live.RingEvents, MaxBytes: cfg.Live.RingBytes, MaxReaders: cfg.Live.MaxClients,
		}),
		scanner: redact.NewScanner(),
	}
	var err error
	if s.store, err = openStore(cfg, logger); err != nil {
		return nil, err
	}
	s.sends = !cfg.OTel.Exporter.None()
	s.history = s.store != nil && cfg.Store.History
	if s.exporter, err = newExporter(cfg, s.store, logger); err != nil {
		if s.store != nil {
			s.store.Close()
		}
		return nil, err
	}
	if err := s.wire(cfg, listen); err != nil {
		if s.exporter != nil {
			err = errors.Join(err, s.exporter.Close())
		}
		return nil, err
	}
	return s, nil
}

// wire connects the handlers with the recorders.
func (s *service) wire(cfg *config.Config, listen net.Addr) error {
	var err error
	if s.hashKey, err = s.findHashKey(cfg); err != nil {
		return fmt.Errorf("set up redaction: %w", err)
	}
	s.merger = report.NewMerger(s.mergerConfig(cfg))
	resource := events.Resource{ServiceName: cfg.OTel.ServiceName, Environment: cfg.OTel.Environment}
	s.sessions = session.New(session.Config{})
	s.reports = report.New(report.Config{
		Recorder: s.merger, LogsRecorder: s.merger.Logs(), Scopes: s.sessions, Resource: resource,
		MaxBodyBytes: int64(cfg.Report.MaxBodyBytes), MaxFieldBytes: cfg.Report.MaxFieldBytes,
		MaxItems: cfg.Report.MaxItems, Sync: s.syncReport, Logger: s.logger,
	})
	settings, err := proxySettings(cfg)
	if err != nil {
		return err
	}
	s.upstream = settings.BaseURL
	settings.Recorder, settings.Sessions, settings.Resource = s.merger, s.sessions, resource
	settings.Lost = s.unsent.lose
	if s.exporter != nil {
		settings.Lost = s.exporter.Lose
	}
	settings.Logger, settings.IsSelf = s.logger, newSelfAddress(listen).is
	if s.proxy, err = proxy.New(settings); err != nil {
		return fmt.Errorf("set up proxy: %w", err)
	}
	return s.count()
}

// told returns what of every record is told once it is merged, and to whom.
func (s *service) told(cfg *config.Config) redact.Config {
	sinks := events.Tee{s.hub, s.metrics}
	if s.exporter != nil {
		sinks = append(sinks, s.exporter)
	} else {
		sinks = append(sinks, &s.unsent)
	}
	told := redact.Config{Next: sinks}
	if cfg.Content.RedactCredentials {
		told.Scanner = s.scanner
	}
	contentPolicies(&told, cfg, s.hashKey)
	return told
}

// proxySettings returns the part of the proxy's configuration that comes from the user.
func proxySettings(cfg *config.Config) (proxy.Config, error) {
	base, err := url.Parse(cfg.Upstream.BaseURL)
	if err != nil {
		return proxy.Config{}, errors.New("set up proxy: upstream.base_url is not a URL")
	}
	roots, err := rootCAs(cfg.Upstream.CACertificate)
	if err != nil {
		return proxy.Config{}, fmt.Errorf("set up proxy: %w", err)
	}
	settings := proxy.Config{
		BaseURL: base, RootCAs: roots,
		DialTimeout: cfg.Upstream.DialTimeout, TLSHandshakeTimeout: cfg.Upstream.TLSHandshakeTimeout,
		ResponseHeaderTimeout: cfg.Upstream.ResponseHeaderTimeout, IdleConnTimeout: cfg.Upstream.IdleConnTimeout,
		BodyIdleTimeout: cfg.Server.IdleTimeout,
		NoWebSocket:     cfg.Upstream.WebSocket == config.WebSocketOff,
		ForwardedFor:    cfg.Upstream.ForwardedFor,
		Detail:          detailOf(cfg.OTel.SSEEvents),
		Messages:        schemaOf(cfg.OTel.Schema) == events.SchemaCodex,
		MaxRequestBytes: int64(cfg.Tap.MaxRequestBytes),
		MaxEventBytes:   cfg.Tap.MaxEventBytes, MaxResponseBytes: cfg.Tap.MaxResponseBytes,
	}
	if cfg.Upstream.ChatGPTBaseURL != "" {
		if settings.ChatGPTBaseURL, err = url.Parse(cfg.Upstream.ChatGPTBaseURL); err != nil {
			return proxy.Config{}, errors.New("set up proxy: upstream.chatgpt_base_url is not a URL")
		}
	}
	if cfg.Upstream.Proxy != "" {
		// The URL may hold a password, and so may the error.
		if settings.OutboundProxy, err = url.Parse(cfg.Upstream.Proxy.Reveal()); err != nil {
			return proxy.Config{}, errors.New("set up proxy: upstream.proxy is not a URL")
		}
	}
	return settings, nil
}

// schemaOf returns the schema of a name that the configuration allows.
func schemaOf(name string) events.Schema {
	if name == config.SchemaCodex {
		return events.SchemaCodex
	}
	return events.SchemaTyped
}

// detailOf returns the detail of a name that the configuration allows.
func detailOf(name string) responses.Detail {
	switch name {
	case config.SSEEventsLifecycle:
		return responses.DetailLifecycle
	case config.SSEEventsCompleted:
		return responses.DetailCompleted
	default:
		return responses.DetailAll
	}
}
