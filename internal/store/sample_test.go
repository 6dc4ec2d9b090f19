package store

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

const (
	namePrompt = "codex.user_prompt"
	nameSSE    = "codex.sse_event"
)

func attr(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

// entry returns a batch with a record for each id. Those that start with ~ are
// deltas. The records are padded, so that zstd cannot make them much smaller.
func entry(padding int, ids ...string) outbox.Entry {
	e := outbox.Entry{Counts: outbox.Tally{}}
	scope := &logspb.ScopeLogs{}
	for _, id := range ids {
		record := &logspb.LogRecord{EventName: namePrompt, Attributes: []*commonpb.KeyValue{attr("event.id", id)}}
		if strings.HasPrefix(id, "~") {
			record.EventName = nameSSE
			record.Attributes = append(record.Attributes, attr("event.kind", "response.output_text.delta"))
			e.Deltas++
		}
		if padding > 0 {
			record.Attributes = append(record.Attributes, attr("padding", noise(id, padding)))
		}
		e.Counts[record.GetEventName()]++
		e.Records++
		scope.LogRecords = append(scope.LogRecords, record)
	}
	e.Payload, _ = proto.Marshal(&collogpb.ExportLogsServiceRequest{
		ResourceLogs: []*logspb.ResourceLogs{{ScopeLogs: []*logspb.ScopeLogs{scope}}},
	})
	return e
}

// noise returns text that does not compress well, the same for the same seed.
func noise(seed string, size int) string {
	var b strings.Builder
	state := uint64(len(seed)) + 88172645463325252
	for _, c := range seed {
		state = state*31 + uint64(c)
	}
	for b.Len() < size {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		fmt.Fprintf(&b, "%016x", state)
	}
	return b.String()[:size]
}

// ids returns the ids of the records of an entry.
func ids(t *testing.T, e outbox.Entry) []string {
	t.Helper()
	request := new(collogpb.ExportLogsServiceRequest)
	if err := proto.Unmarshal(e.Payload, request); err != nil {
		t.Fatalf("Unmarshal() = %v", err)
	}
	var found []string
	for _, r := range request.GetResourceLogs() {
		for _, s := range r.GetScopeLogs() {
			for _, record := range s.GetLogRecords() {
				found = append(found, record.GetAttributes()[0].GetValue().GetStringValue())
			}
		}
	}
	if len(found) != e.Records || e.Counts.Total() != e.Records {
		t.Errorf("entry says %d records, %v; has %d", e.Records, e.Counts, len(found))
	}
	return found
}

// waiting returns the ids of all that waits, without changing it.
func waiting(t *testing.T, s *Store) []string {
	t.Helper()
	var found []string
	for after := uint64(0); ; {
		e, ok := s.Next(after)
		if !ok {
			return found
		}
		s.Done(e, nil)
		after = e.ID
		found = append(found, ids(t, e)...)
	}
}

// deliver delivers the oldest n batches, and returns the ids of their records.
func deliver(t *testing.T, s *Store, n int) []string {
	t.Helper()
	var found []string
	for range n {
		e, ok := s.Next(0)
		if !ok {
			t.Fatal("Next() found nothing")
		}
		found = append(found, ids(t, e)...)
		s.Done(outbox.Entry{ID: e.ID}, outbox.Settled{outbox.Delivered: e.Counts})
	}
	return found
}

// balance checks that the books tell of as many waiting records as wait.
func balance(t *testing.T, s *Store) {
	t.Helper()
	tally := outbox.Tally{}
	for after := uint64(0); ; {
		e, ok := s.Next(after)
		if !ok {
			break
		}
		s.Done(e, nil)
		after = e.ID
		tally = tally.Plus(e.Counts)
	}
	ever, process := s.Ledger()
	for _, ledger := range []outbox.Ledger{ever, process} {
		if queued := ledger.Queued(); queued.Total() != tally.Total() || len(queued.Minus(tally)) > 0 {
			t.Errorf("books tell of %v that wait; there are %v", queued, tally)
		}
		for name, account := range ledger {
			for _, fate := range outbox.Fates() {
				if account.Settled[fate] < 0 || account.Observed < 0 {
					t.Errorf("account of %s = %+v; want nothing below zero", name, account)
				}
			}
		}
	}
	if records, bytes := s.Size(); records != tally.Total() || bytes < 0 || records == 0 && bytes != 0 {
		t.Errorf("Size() = %d, %d; want %d records", records, bytes, tally.Total())
	}
}

// open returns a Store on a directory that is closed when the test ends.
func open(t *testing.T, cfg Config) *Store {
	t.Helper()
	s, err := Open(cfg)
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func synced(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Sync(t.Context()); err != nil {
		t.Fatalf("Sync() = %v", err)
	}
}

// run runs a Store until the test ends.
func run(t *testing.T, s *Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

// crash forgets what is in memory, as the end of the process would.
func crash(s *Store) {
	s.disk.Lock()
	defer s.disk.Unlock()
	if s.db != nil {
		s.db.close()
		s.db = nil
	}
	s.lock.release()
	s.codec.close()
	s.closed = true
}

// eventually waits for what must happen.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s does not happen", what)
		}
	}
}

// logbook keeps what is logged.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

func (l *logbook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }
