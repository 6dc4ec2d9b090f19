package otlp

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/codex-proxy/codex-proxy/events"
)

func sampleTime() time.Time { return time.Date(2026, 11, 23, 10, 20, 30, 123456789, time.UTC) }

func sampleScope() *events.Scope {
	return &events.Scope{
		ConversationID: "019a-conversation",
		AppVersion:     "0.149.0",
		AuthMode:       "ApiKey",
		Originator:     "codex_exec",
		TerminalType:   "xterm-256color",
		Model:          "gpt-5",
		Slug:           "gpt-5",
		TurnID:         "turn-1",
		ResponseID:     "resp_1",
		RequestID:      "req_1",
		Resource:       &events.Resource{ServiceName: "codex-cli", ServiceVersion: "0.149.0", Environment: "dev"},
		Profile:        events.CodexProfile("0.149.0"),
	}
}

func record(event events.Event) events.Record {
	return events.Record{Event: event, Scope: sampleScope(), Time: sampleTime(), ID: events.ID("sample")}
}

func prompt(text string) events.Record {
	return record(&events.UserPrompt{Length: int64(len(text)), Prompt: events.Some(text)})
}

func delta() events.Record {
	return record(&events.SSEEvent{Kind: events.Some("response.output_text.delta"), DurationMS: events.Int64(3)})
}

func completed() events.Record {
	return record(&events.SSEEvent{
		Kind:       events.Some("response.completed"),
		DurationMS: events.Int64(12),
		Usage: &events.Usage{
			Input: 1000, Output: 200, Cached: events.Int64(900), Reasoning: events.Int64(64), Total: 1200,
		},
		TTFTMS:          events.Int64(80),
		ServiceTier:     "default",
		ReasoningEffort: "high",
		EndedBy:         "completed",
		StreamEvents:    events.Int64(321),
		StreamDeltas:    events.Int64(300),
		StreamBytes:     events.Int64(123456),
	})
}

// prompts returns what the prompts among records say, in order.
func prompts(records []*logspb.LogRecord) []string {
	var texts []string
	for _, r := range records {
		for _, kv := range r.GetAttributes() {
			if kv.GetKey() == "prompt" {
				texts = append(texts, kv.GetValue().GetStringValue())
			}
		}
	}
	return texts
}

// open returns an Exporter that is closed when the test ends.
func open(t *testing.T, cfg Config) *Exporter {
	t.Helper()
	x, err := New(cfg)
	if err != nil {
		t.Fatalf("New() = %v", err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return x
}

// run runs x until the test ends.
func run(t *testing.T, x *Exporter) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- x.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

// balance checks that every record is accounted for, and that what is said to
// be queued is in the open batch or the outbox.
func balance(t *testing.T, x *Exporter) {
	t.Helper()
	s := x.Stats()
	x.batcher.mu.Lock()
	queued := x.batcher.records
	x.batcher.mu.Unlock()
	held, _ := x.outbox.Size()
	queued += held
	if s.Queued != int64(queued) {
		t.Errorf("Stats() = %+v, but %d records are queued", s, queued)
	}
}

// logbook keeps what is logged and tells of each line.
type logbook struct {
	mu    sync.Mutex
	text  bytes.Buffer
	lines chan string
}

func newLogbook() *logbook { return &logbook{lines: make(chan string, 1000)} }

func (l *logbook) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.lines <- string(p):
	default:
	}
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// count returns the number of lines with the given text.
func (l *logbook) count(text string) int {
	return len(slices.DeleteFunc(strings.Split(l.String(), "\n"), func(line string) bool { return !strings.Contains(line, text) }))
}

// await waits for a line with the given text.
func (l *logbook) await(t *testing.T, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		select {
		case line := <-l.lines:
			if strings.Contains(line, text) {
				return
			}
		case <-ctx.Done():
			t.Fatalf("no log line with %q in:\n%s", text, l)
		}
	}
}
