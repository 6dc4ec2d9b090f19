package store

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// diskUse is the size of all files of a Store.
func diskUse(t *testing.T, dir string) int64 {
	t.Helper()
	var total int64
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		// The index of the journal is memory that happens to have a name.
		if info, err := file.Info(); err == nil && !strings.HasSuffix(file.Name(), "-shm") {
			total += info.Size()
		}
	}
	return total
}

func TestDiskUseIsBounded(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, MaxBytes: MinBytes})
	// 60 % of 12 MiB are deltas.
	var highest int64
	for i := range 300 {
		s.Append(entry(8000, fmt.Sprint("~", i, "a"), fmt.Sprint(i), fmt.Sprint("~", i, "b"), fmt.Sprint(i, "x"), fmt.Sprint("~", i, "c")))
		if i%3 == 0 {
			synced(t, s)
			highest = max(highest, diskUse(t, dir))
		}
	}
	synced(t, s)
	balance(t, s)
	if highest > MinBytes {
		t.Errorf("files grew to %d bytes; want at most %d", highest, MinBytes)
	}
	got := waiting(t, s)
	var deltas, rest []string
	for _, id := range got {
		if strings.HasPrefix(id, "~") {
			deltas = append(deltas, id)
		} else {
			rest = append(rest, id)
		}
	}
	ever, _ := s.Ledger()
	if ever[nameSSE].Settled[outbox.QueueFull] != int64(900-len(deltas)) || ever[namePrompt].Settled[outbox.QueueFull] != int64(600-len(rest)) {
		t.Errorf("ledger = %+v; want %d deltas and %d others dropped", ever, 900-len(deltas), 600-len(rest))
	}
	if len(rest) < 200 || len(deltas) > 10 {
		t.Errorf("%d deltas and %d others kept; want deltas to go first", len(deltas), len(rest))
	}
	if rest[len(rest)-1] != "299x" || slices.Contains(rest, "0") {
		t.Errorf("kept %s to %s; want the newest", rest[0], rest[len(rest)-1])
	}
	crash(s)
	s = open(t, Config{Dir: dir, MaxBytes: MinBytes})
	balance(t, s)
	if again := waiting(t, s); !slices.Equal(again, got) {
		t.Errorf("%d records after a restart; want %d", len(again), len(got))
	}
}

// TestRoomIsMadeAroundTheClaim fills the store while its oldest batch is being sent.
func TestRoomIsMadeAroundTheClaim(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), MaxBytes: MinBytes, Batch: outbox.Limits{MaxRecords: 2}})
	s.Append(entry(8000, "a", "~b"))
	synced(t, s)
	e, _ := s.Next(0)
	for i := range 400 {
		s.Append(entry(8000, fmt.Sprint(i), fmt.Sprint(i, "x")))
		synced(t, s)
	}
	first, rest := e.Split()
	s.Done(rest, outbox.Settled{outbox.Delivered: first.Counts})
	balance(t, s)
	if got := waiting(t, s); got[0] != "~b" || got[1] == "0" {
		t.Errorf("waiting = %q ...; want what was being sent, and the newest", got[:2])
	}
}

// TestRoomIsMadeFirst fills the store with transactions of almost a MiB: the file never gets larger than it may for a moment.
func TestRoomIsMadeFirst(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), MaxBytes: MinBytes, Batch: outbox.Limits{MaxRecords: 1}})
	for i := range 40 {
		for j := range 9 {
			s.Append(entry(200_000, fmt.Sprint(i, j)))
		}
		synced(t, s)
	}
	balance(t, s)
	var bytes int64
	const text = "SELECT c.page_count * s.page_size FROM pragma_page_count AS c, pragma_page_size AS s"
	if err := s.db.sql.QueryRowContext(t.Context(), text).Scan(&bytes); err != nil {
		t.Fatal(err)
	}
	limit := (&transaction{maxBytes: MinBytes}).limit()
	if bytes > limit+limit/10 {
		t.Errorf("database grew to %d bytes; want %d and what an estimate may be wrong by", bytes, limit)
	}
}

// TestRoomForALargeBatch has a batch come for which half of everything is not room enough.
func TestRoomForALargeBatch(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), MaxBytes: MinBytes})
	for i := range 20 {
		s.Append(entry(200_000, fmt.Sprint(i)))
		synced(t, s)
	}
	s.Append(entry(1_500_000, "large"))
	synced(t, s)
	used := &transaction{maxBytes: MinBytes}
	if err := used.measure(t.Context(), &s.db.sql); err != nil || used.size > used.limit() || s.Stats().Bytes != used.size {
		t.Errorf("%d bytes are used, %v, Stats() = %+v; want at most %d, and to be told so", used.size, err, s.Stats(), used.limit())
	}
	if got := waiting(t, s); len(got) < 2 || got[len(got)-1] != "large" {
		t.Errorf("waiting = %q; want the newest", got)
	}
	balance(t, s)
}

// TestMigration has a later version add to the schema, and one that fails.
func TestMigration(t *testing.T) {
	dir := filled(t)
	path := filepath.Join(dir, fileName)
	broken := append(migrations(), "CREATE TABLE later (x); INSERT INTO nowhere VALUES (1);")
	want := fmt.Sprintf("migrate to schema %d", len(broken))
	if _, _, err := openDatabase(path, broken); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("openDatabase() = %v; want the failed migration", err)
	}
	next := append(migrations(), "CREATE TABLE later (x); ALTER TABLE batches ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;")
	for range 2 {
		db, found, err := openDatabase(path, next)
		if err != nil {
			t.Fatalf("openDatabase() = %v", err)
		}
		if found.records != 3 || found.ledger[namePrompt].Observed != 3 {
			t.Errorf("found = %+v; want the three records", found)
		}
		db.close()
	}
	s := open(t, Config{Dir: dir})
	if got := s.Stats(); got.Durable || got.Trouble != "newer_schema" {
		t.Errorf("Stats() = %+v; want an older version to leave it alone", got)
	}
}

// TestFullDatabase lets SQLite find no room, as on a full disk.
func TestFullDatabase(t *testing.T) {
	book := &logbook{}
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, Logger: book.logger(), Memory: outbox.Limits{MaxBytes: 100_000}})
	s.Append(entry(100, "a"))
	synced(t, s)
	limit := func(pages int) {
		s.disk.Lock()
		defer s.disk.Unlock()
		var set int
		if err := s.db.sql.QueryRowContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)).Scan(&set); err != nil {
			t.Fatal(err)
		}
	}
	limit(1)
	for i := range 30 {
		s.Append(entry(8000, fmt.Sprint(i)))
		if err := s.Sync(t.Context()); err == nil && i > 2 {
			t.Fatalf("Sync() %d = nil; want the disk to be full", i)
		}
	}
	if got := s.Stats(); got.Durable || got.Trouble != "disk_full" || book.count("reason=disk_full") != 1 {
		t.Errorf("Stats() = %+v, log %s; want one line", got, book.text.String())
	}
	balance(t, s)
	// What can be delivered is.
	deliver(t, s, 3)
	balance(t, s)
	limit(1 << 20)
	synced(t, s)
	balance(t, s)
	ever, _ := s.Ledger()
	if account := ever[namePrompt]; account.Observed != 31 || account.Settled[outbox.QueueFull] == 0 || !s.Stats().Durable {
		t.Errorf("account = %+v; want 31 observed, some dropped for the memory's bound", account)
	}
	got := waiting(t, s)
	crash(s)
	s = open(t, Config{Dir: dir})
	balance(t, s)
	if again := waiting(t, s); !slices.Equal(again, got) {
		t.Errorf("waiting = %q after a restart; want %q", again, got)
	}
}

// TestSpaceIsGivenBack delivers a large backlog while there is always something to write.
func TestSpaceIsGivenBack(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	for i := range 50 {
		s.Append(entry(1<<20, fmt.Sprint(i)))
	}
	synced(t, s)
	before := diskUse(t, dir)
	for records, _ := s.Size(); records > 0; records, _ = s.Size() {
		deliver(t, s, 1)
	}
	s.Append(entry(0, "next"))
	s.work(false)
	if got := diskUse(t, dir); got < before-2*walBytes {
		t.Errorf("files shrank from %d to %d bytes; want them left alone until it is time", before, got)
	}
	s.disk.Lock()
	s.tidied = s.tidied.Add(-housekeeping)
	s.disk.Unlock()
	s.Append(entry(0, "last"))
	s.work(false)
	if got := diskUse(t, dir); got > before-shrinkPages*4096 {
		t.Errorf("files shrank from %d to %d bytes; want 16 MiB given back", before, got)
	}
	balance(t, s)
}
