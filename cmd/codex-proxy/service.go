package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/quickconn"
)

// run serves until ctx ends, then lets streams finish, sends the remaining telemetry and releases everything.
func (s *service) run(ctx context.Context, listener net.Listener) error {
	// What outlives ctx: streams that finish, and the telemetry about them.
	work, endWork := context.WithCancel(context.WithoutCancel(ctx))
	feed, endFeed := context.WithCancel(work)
	var feeds, exports sync.WaitGroup
	feeds.Go(func() { s.supervise(feed, "live feed", s.hub.Run) })
	exports.Go(func() { s.supervise(work, "merger", s.merger.Run) })
	if s.exporter != nil {
		exports.Go(func() { s.supervise(work, "exporter", s.exporter.Run) })
	}
	if s.store != nil {
		exports.Go(func() { s.supervise(work, "store", s.store.Run) })
	}
	server := s.server()
	served := make(chan error, 1)
	go func() { served <- server.Serve(quickconn.Listen(listener)) }()
	s.health.SetReady(true, "")

	var err error
	select {
	case <-ctx.Done():
		s.logger.InfoContext(work, "shutting down", slog.Int64("live", s.proxy.Stats().Live))
		s.health.SetReady(false, "draining")
	case err = <-served:
		err = fmt.Errorf("serve: %w", err)
	}
	s.drain(work, server, func() { s.merger.Close(); endFeed(); feeds.Wait() })
	s.proxy.Close()
	s.flush(work)
	endWork()
	exports.Wait()
	if s.exporter != nil {
		s.logError(ctx, "close exporter failed", s.exporter.Close())
	}
	return err
}

// maxHeaderBytes bounds the head of a request, which is all that a connection can make the proxy keep before it is refused.
// Fields take many times their size in memory; the largest of agents are some kilobytes.
const maxHeaderBytes = 256 << 10

// Limits of HTTP/2, where one connection has many requests, and may be gone without anybody noticing.
const (
	maxConcurrentStreams = 250
	pingAfter            = 30 * time.Second
	pingTimeout          = 15 * time.Second
)

// server returns the HTTP server. It limits neither reading nor writing as a whole: streams last as long as they last.
func (s *service) server() *http.Server {
	server := &http.Server{
		Handler:           s.entrance(),
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: s.limits.ReadHeaderTimeout,
		IdleTimeout:       s.limits.IdleTimeout,
		ConnState:         s.unused.state,
		Protocols:         new(http.Protocols),
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxConcurrentStreams, SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
		// OPTIONS * is the upstream's to answer.
		DisableGeneralOptionsHandler: true,
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	return server
}

// cutTimeout bounds how long streams that were cut may take to end, so that their ends are recorded.
const cutTimeout = 2 * time.Second

// drain refuses new connections at once, gives live exchanges the grace to finish and cuts the rest. The feed goes last:
// its readers never leave by themselves, and they want to see how the streams ended.
func (s *service) drain(ctx context.Context, server *http.Server, endFeed func()) {
	grace, cancel := context.WithTimeout(ctx, s.limits.ShutdownGrace)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- server.Shutdown(grace) }()
	s.unused.close()
	if err := s.proxy.Idle(grace); err != nil {
		s.logger.WarnContext(ctx, "grace is over, cutting streams", slog.Int64("live", s.proxy.Stats().Live))
		s.proxy.Cut()
		cut, cancelCut := context.WithTimeout(ctx, cutTimeout)
		defer cancelCut()
		s.logError(ctx, "streams do not end", s.proxy.Idle(cut))
	}
	endFeed()
	if err := <-closed; err != nil {
		s.logError(ctx, "close server failed", server.Close())
	}
}

// flush sends the telemetry that waits, as far as the time for it allows.
func (s *service) flush(ctx context.Context) {
	if s.exporter == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.limits.FlushTimeout)
	defer cancel()
	err := s.exporter.Flush(ctx)
	if err == nil {
		return
	}
	fate := "telemetry is lost"
	switch {
	case !s.sends:
		fate = "the end of the history is lost"
	case s.onDisk(ctx):
		fate = "telemetry is kept for the next start"
	}
	s.logger.WarnContext(ctx, fate, //nolint:sloglint // one of three constants
		slog.Int64("records", s.exporter.Stats().Queued), slog.String("error", err.Error()))
}

// syncTimeout bounds how long the end waits to learn whether what could not be sent is on disk.
const syncTimeout = time.Second

// onDisk reports whether everything recorded is on disk. The collector may have used up the time of ctx.
func (s *service) onDisk(ctx context.Context) bool {
	if s.store == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), syncTimeout)
	defer cancel()
	return s.store.Sync(ctx) == nil
}

// logError logs an error that nobody can act on.
func (s *service) logError(ctx context.Context, msg string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		s.logger.ErrorContext(ctx, msg, slog.String("error", err.Error())) //nolint:sloglint // the callers' messages are constant
	}
}
