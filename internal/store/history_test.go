package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// told returns the ids of the history between two times.
func told(t *testing.T, dir string, since, until time.Time) []string {
	t.Helper()
	r, err := OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatalf("OpenReader() = %v", err)
	}
	defer r.Close()
	return toldTo(t, r, since, until)
}

// toldTo returns the same as a Reader finds it.
func toldTo(t *testing.T, r *Reader, since, until time.Time) []string {
	t.Helper()
	var found []string
	damaged, err := r.Each(t.Context(), since, until, func(request []byte) error {
		decoded := new(collogpb.ExportLogsServiceRequest)
		if err := proto.Unmarshal(request, decoded); err != nil {
			t.Fatal(err)
		}
		for _, r := range decoded.GetResourceLogs() {
			for _, s := range r.GetScopeLogs() {
				for _, record := range s.GetLogRecords() {
					found = append(found, record.GetAttributes()[0].GetValue().GetStringValue())
				}
			}
		}
		return nil
	})
	if err != nil || damaged != 0 {
		t.Fatalf("Each() = %d, %v", damaged, err)
	}
	return found
}

// TestHistory keeps what was delivered before it was written, what waits and what was delivered later, also across a crash.
func TestHistory(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, History: true})
	s.Append(entry(0, "a", "~delta"))
	deliver(t, s, 1)
	synced(t, s)
	s.Append(entry(0, "b"))
	synced(t, s)
	deliver(t, s, 1)
	s.Append(entry(0, "~delta"))
	s.Append(entry(0, "c"))
	s.Keep(1, entry(0, "held"))
	synced(t, s)
	s.Append(entry(0, "lost with the crash"))
	if diff := cmp.Diff([]string{"a", "b", "c"}, told(t, dir, time.Time{}, time.Time{})); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	crash(s)
	s = open(t, Config{Dir: dir, History: true})
	if got := s.Stats(); got.History != 3 {
		t.Errorf("Stats() = %+v; want 3 records of history", got)
	}
	synced(t, s)
	if diff := cmp.Diff([]string{"a", "b", "c", "held"}, told(t, dir, time.Time{}, time.Time{})); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	s.Close()
	if diff := cmp.Diff([]string{"a", "b", "c", "held"}, told(t, dir, time.Time{}, time.Time{})); diff != "" {
		t.Errorf("history, nobody writing (-want +got):\n%s", diff)
	}
}

// TestHistoryWithoutSender has books that say what became of the records, and no outbox.
func TestHistoryWithoutSender(t *testing.T) {
	dir := t.TempDir()
	for start := range 2 {
		s := open(t, Config{Dir: dir, History: true, NoSender: true})
		s.Append(entry(0, fmt.Sprint(start), "~delta"))
		synced(t, s)
		if got := waiting(t, s); len(got) != 0 {
			t.Errorf("waiting = %q; want nothing", got)
		}
		ever, _ := s.Ledger()
		if got := ever.Total(); got.Observed != int64(2+2*start) || got.Settled[outbox.NoExporter] != got.Observed {
			t.Errorf("start %d: total = %+v; want all of it without an exporter", start, got)
		}
		balance(t, s)
		crash(s)
	}
	if diff := cmp.Diff([]string{"0", "1"}, told(t, dir, time.Time{}, time.Time{})); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// TestHistoryMakesRoom fills the disk: history goes first, the oldest first, then what waits.
func TestHistoryMakesRoom(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, History: true, MaxBytes: MinBytes})
	const records = 60
	for i := range records {
		s.Append(entry(100_000, fmt.Sprint(i)))
		synced(t, s)
		if i < records/2 {
			deliver(t, s, 1)
		}
	}
	if size := diskUse(t, dir); size > MinBytes {
		t.Errorf("files have %d bytes; want at most %d", size, MinBytes)
	}
	stats := s.Stats()
	if stats.HistoryDropped[HistoryFull] < records/2 || stats.History+stats.HistoryDropped[HistoryFull] != records {
		t.Errorf("Stats() = %+v; want %d records in or out of the history, most of them out", stats, records)
	}
	ever, _ := s.Ledger()
	if stats.History > 0 && ever.Total().Settled[outbox.QueueFull] > 0 {
		t.Errorf("total = %+v; want no record that waits dropped while there is history", ever.Total())
	}
	if got := ever.Total(); got.Settled[outbox.QueueFull] == 0 || got.Queued() == 0 {
		t.Errorf("total = %+v; want the newest to wait", got)
	}
	balance(t, s)
}

// TestHistoryExpires opens a Store long after, in its own view.
func TestHistoryExpires(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, History: true})
	s.Append(entry(0, "old"))
	synced(t, s)
	crash(s)
	script(t, dir, "UPDATE history SET stored_at = stored_at - 7200000")
	s = open(t, Config{Dir: dir, History: true, MaxAge: time.Hour})
	s.Append(entry(0, "new"))
	synced(t, s)
	if diff := cmp.Diff([]string{"new"}, told(t, dir, time.Time{}, time.Time{})); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if got := s.Stats(); got.History != 1 || got.HistoryDropped[HistoryExpired] != 1 {
		t.Errorf("Stats() = %+v; want one record expired", got)
	}
}

// TestHistoryInMemoryIsBounded cannot write for long.
func TestHistoryInMemoryIsBounded(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, History: true, Memory: outbox.Limits{MaxBytes: 10_000}})
	s.disk.Lock()
	db := s.db
	s.db = nil
	s.disk.Unlock()
	for i := range 100 {
		s.Append(entry(1000, fmt.Sprint(i), "~delta"))
	}
	s.disk.Lock()
	s.db = db
	s.disk.Unlock()
	synced(t, s)
	got := told(t, dir, time.Time{}, time.Time{})
	if stats := s.Stats(); len(got) == 0 || got[len(got)-1] != "99" || int64(len(got))+stats.HistoryDropped[HistoryFull] != 100 {
		t.Errorf("history = %q, Stats() = %+v; want the newest, and the rest counted", got, stats)
	}
}

// TestHistoryBacklog writes more than one transaction may have.
func TestHistoryBacklog(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, History: true})
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprint(i))
		s.Append(entry(300_000, want[i]))
	}
	synced(t, s)
	if diff := cmp.Diff(want, told(t, dir, time.Time{}, time.Time{})); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if got := s.Stats().Commits; got < 3 {
		t.Errorf("%d transactions; want several", got)
	}
}

// TestReaderErrors opens what is no history.
func TestReaderErrors(t *testing.T) {
	empty := t.TempDir()
	if _, err := OpenReader(t.Context(), empty); !errors.Is(err, ErrNoHistory) {
		t.Errorf("OpenReader() of nothing = %v; want %v", err, ErrNoHistory)
	}
	if _, err := os.Stat(filepath.Join(empty, fileName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Stat() = %v; want nothing made", err)
	}
	old, err := os.ReadFile(filepath.Join("testdata", "schema1.db"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		content []byte
		script  string
		want    error
	}{
		"before there was one": {content: old, want: ErrNoHistory},
		"newer":                {content: old, script: "PRAGMA user_version = 99", want: errNewer},
		"foreign":              {script: "CREATE TABLE other (x)", want: errForeign},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fileName), test.content, 0o600); err != nil {
			t.Fatal(err)
		}
		if test.script != "" {
			script(t, dir, test.script)
		}
		if _, err := OpenReader(t.Context(), dir); !errors.Is(err, test.want) {
			t.Errorf("OpenReader() of a database %s = %v; want %v", name, err, test.want)
		}
	}
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, fileName), []byte(noise("x", 9000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReader(t.Context(), damaged); !isDamage(err) {
		t.Errorf("OpenReader() of noise = %v; want damage", err)
	}
}

// TestReaderBesideWriter reads while a Store writes, and holds up neither it nor its housekeeping.
func TestReaderBesideWriter(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, History: true})
	for i := range 3 * readChunk {
		s.Append(entry(0, fmt.Sprint(i)))
		synced(t, s)
	}
	r, err := OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	requests := 0
	if _, err := r.Each(t.Context(), time.Time{}, time.Time{}, func([]byte) error {
		requests++
		s.Append(entry(0, "beside"))
		synced(t, s)
		s.work(true)
		if !s.Stats().Durable {
			t.Errorf("Stats() = %+v; want the Store to go on", s.Stats())
		}
		return errStop(requests > 4*readChunk)
	}); !errors.Is(err, errStopped) {
		t.Errorf("Each() = %v; want it to find what is written meanwhile", err)
	}
	if size := diskUse(t, dir); size > 3*walBytes {
		t.Errorf("files have %d bytes; want the journal folded in beside a reader", size)
	}
}

var errStopped = errors.New("stopped")

func errStop(stop bool) error {
	if stop {
		return errStopped
	}
	return nil
}

// TestReaderBounds reads a part of the time.
func TestReaderBounds(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, History: true})
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range 5 {
		s.Append(facts(at.Add(time.Duration(i)*time.Hour), "codex.user_prompt", "event.id", fmt.Sprint(i)))
		synced(t, s)
	}
	for _, test := range []struct {
		since, until time.Time
		want         []string
	}{
		{want: []string{"0", "1", "2", "3", "4"}},
		{since: at.Add(3 * time.Hour), want: []string{"3", "4"}},
		{until: at.Add(time.Hour), want: []string{"0"}},
		{since: at.Add(time.Minute), until: at.Add(2*time.Hour + 1), want: []string{"1", "2"}},
		{since: at.Add(5 * time.Hour)},
	} {
		if diff := cmp.Diff(test.want, told(t, dir, test.since, test.until)); diff != "" {
			t.Errorf("from %v until %v (-want +got):\n%s", test.since, test.until, diff)
		}
	}
}

// facts returns a batch of one record: its event and pairs of attributes, an int64 or a string.
func facts(at time.Time, event string, pairs ...any) outbox.Entry {
	record := &logspb.LogRecord{TimeUnixNano: uint64(at.UnixNano()), EventName: event}
	for i := 0; i < len(pairs); i += 2 {
		key := pairs[i].(string)
		kv := attr(key, fmt.Sprint(pairs[i+1]))
		if n, ok := pairs[i+1].(int); ok {
			kv.Value = &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: int64(n)}}
		}
		record.Attributes = append(record.Attributes, kv)
	}
	e := outbox.Entry{Records: 1, Counts: outbox.Tally{event: 1}}
	e.Payload, _ = proto.Marshal(&collogpb.ExportLogsServiceRequest{
		ResourceLogs: []*logspb.ResourceLogs{{ScopeLogs: []*logspb.ScopeLogs{{LogRecords: []*logspb.LogRecord{record}}}}},
	})
	return e
}
