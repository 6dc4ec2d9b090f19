package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/internal/otlp"
)

// Short names of what a request is made of.
type (
	resourceLogs = logspb.ResourceLogs
	scopeLogs    = logspb.ScopeLogs
	logRecord    = logspb.LogRecord
)

// sendTries is how often a part of the history is tried to be sent, and sendPause the first pause in between, which doubles.
const (
	sendTries = 4
	sendPause = time.Second
)

// sending sends to the configured exporter.
type sending struct {
	exporter *otlp.Exporter
	pause    time.Duration
}

func newSending(cfg *config.Config) (*sending, error) {
	exporter, err := newExporter(cfg, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	if exporter == nil {
		return nil, errors.New("export: --send needs an exporter, and otel.exporter is none")
	}
	return &sending{exporter: exporter, pause: sendPause}, nil
}

// write sends a request, or returns why it could not, after some tries.
func (s *sending) write(ctx context.Context, request *collogpb.ExportLogsServiceRequest) error {
	raw, err := proto.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode history: %w", err)
	}
	s.exporter.Replay(raw)
	pause := s.pause
	for try := 1; ; try++ {
		if err = s.exporter.Flush(ctx); err == nil {
			return nil
		}
		if try == sendTries {
			return fmt.Errorf("send history: %w", err)
		}
		timer := time.NewTimer(pause)
		pause *= 2
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("send history: %w", ctx.Err())
		case <-timer.C:
		}
	}
}

// close says what became of the records.
func (s *sending) close() (string, error) {
	stats := s.exporter.Stats()
	err := s.exporter.Close()
	summary := fmt.Sprintf("%d records sent", stats.Delivered)
	if lost := stats.Rejected + stats.Dropped.Total(); lost > 0 {
		summary += fmt.Sprintf(", %d refused by the collector", lost)
		err = errors.Join(errors.New("export: the collector refused records"), err)
	}
	if stats.Queued > 0 {
		summary += fmt.Sprintf(", %d not sent", stats.Queued)
	}
	return summary, err
}
