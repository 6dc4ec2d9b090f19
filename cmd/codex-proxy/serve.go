package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/codex-proxy/codex-proxy/config"
)

func (a *app) serveCommand() *cobra.Command {
	var source source
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Forward requests and report what they were about (the default)",
		Args:  cobra.NoArgs,
		RunE:  failed(func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context(), source) }),
	}
	source.flags(cmd)
	return cmd
}

// serve forwards until ctx ends, and returns nil after an orderly shutdown.
func (a *app) serve(ctx context.Context, source source) error {
	cfg, warnings, err := source.load()
	if err != nil {
		return err
	}
	log := &logWriter{next: a.stderr}
	defer log.flush()
	logger := newLogger(log, cfg.Log)
	// A log that nobody reads any more is no reason to end.
	signal.Ignore(syscall.SIGPIPE)
	// What libraries log past every logger, such as unsolicited responses, holds bytes of the traffic.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	for _, warning := range warnings {
		logger.WarnContext(ctx, "configuration warning", slog.String("key", warning.Path),
			slog.String("problem", warning.Message), slog.String("hint", warning.Hint))
	}
	return a.serveConfig(ctx, cfg, logger)
}

// serveConfig listens, wires the service and runs it until ctx ends.
func (a *app) serveConfig(ctx context.Context, cfg *config.Config, logger *slog.Logger) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", cfg.Listen, err)
	}
	defer listener.Close()
	s, err := newService(cfg, logger, listener.Addr())
	if err != nil {
		return err
	}
	logger.InfoContext(ctx, "serving", slog.String("listen", listener.Addr().String()),
		slog.String("upstream", s.upstream.Redacted()), slog.String("exporter", exporterKind(cfg.OTel.Exporter)),
		slog.String("version", buildVersion()))
	if a.onListen != nil {
		a.onListen(listener.Addr())
	}
	return s.run(ctx, listener)
}
