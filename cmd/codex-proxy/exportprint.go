package main

import (
	"bufio"
	"context"
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog"
	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/codex-proxy/codex-proxy/internal/console"
)

// printing prints.
type printing struct {
	out    *bufio.Writer
	format string
	line   []byte
}

func (p *printing) write(_ context.Context, request *collogpb.ExportLogsServiceRequest) error {
	if p.format == formatOTLP {
		return p.writeOTLP(request)
	}
	for _, resource := range request.GetResourceLogs() {
		for _, scope := range resource.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				p.line = append(console.AppendLogRecord(p.line[:0], record), '\n')
				if _, err := p.out.Write(p.line); err != nil {
					return fmt.Errorf("print history: %w", err)
				}
			}
		}
	}
	return nil
}

// writeOTLP prints a line of OTLP/JSON, which is not protobuf's own JSON.
func (p *printing) writeOTLP(request *collogpb.ExportLogsServiceRequest) error {
	raw, err := proto.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode history: %w", err)
	}
	logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(raw)
	if err != nil {
		return fmt.Errorf("encode history: %w", err)
	}
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	if err != nil {
		return fmt.Errorf("encode history: %w", err)
	}
	if _, err := p.out.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("print history: %w", err)
	}
	return nil
}

func (p *printing) close() (string, error) { return "", p.out.Flush() }
