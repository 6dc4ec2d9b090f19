package store

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// script runs SQL on the database of a directory that no Store has.
func script(t *testing.T, dir, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// filled returns a directory whose database holds the records a, b and c.
func filled(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	for _, id := range []string{"a", "b", "c"} {
		s.Append(entry(2000, id))
		synced(t, s)
	}
	s.Close()
	return dir
}

// TestUnusableDisk starts a Store where it cannot write, and mends that.
func TestUnusableDisk(t *testing.T) {
	for _, test := range []struct {
		name, reason string
		spoil        func(t *testing.T, dir string) (mend func())
		kept         []string // of a, b and c
	}{
		{"foreign database", "foreign", func(t *testing.T, dir string) func() {
			t.Helper()
			script(t, dir, "PRAGMA application_id = 1; CREATE TABLE other (x)")
			return func() { _ = os.Remove(filepath.Join(dir, fileName)) }
		}, nil},
		{"foreign database without an id", "foreign", func(t *testing.T, dir string) func() {
			t.Helper()
			_ = os.Remove(filepath.Join(dir, fileName))
			script(t, dir, "CREATE TABLE other (x)")
			return func() { _ = os.Remove(filepath.Join(dir, fileName)) }
		}, nil},
		{"newer schema", "newer_schema", func(t *testing.T, dir string) func() {
			t.Helper()
			script(t, dir, "PRAGMA user_version = 99")
			return func() { script(t, dir, fmt.Sprintf("PRAGMA user_version = %d", len(migrations()))) }
		}, []string{"a", "b", "c"}},
		{"a directory in place of the file", "io_error", func(t *testing.T, dir string) func() {
			t.Helper()
			path := filepath.Join(dir, fileName)
			if err := os.Rename(path, path+".old"); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
			return func() {
				_ = os.Remove(path)
				_ = os.Rename(path+".old", path)
			}
		}, []string{"a", "b", "c"}},
		{"locked by another program", "busy", func(t *testing.T, dir string) func() {
			t.Helper()
			db, err := sql.Open("sqlite", filepath.Join(dir, fileName))
			if err != nil {
				t.Fatal(err)
			}
			db.SetMaxOpenConns(1)
			if _, err := db.ExecContext(t.Context(), "PRAGMA locking_mode = exclusive; BEGIN EXCLUSIVE; COMMIT"); err != nil {
				t.Fatal(err)
			}
			return func() { db.Close() }
		}, []string{"a", "b", "c"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filled(t)
			mend := test.spoil(t, dir)
			book := &logbook{}
			s := open(t, Config{Dir: dir, Retry: 20 * time.Millisecond, Logger: book.logger()})
			run(t, s)
			s.Append(entry(0, "d"))
			if got := s.Stats(); got.Durable || got.Trouble != test.reason {
				t.Errorf("Stats() = %+v; want trouble %s", got, test.reason)
			}
			if err := s.Sync(t.Context()); err == nil {
				t.Error("Sync() = nil; want why nothing is written")
			}
			balance(t, s)
			if got := deliver(t, s, 1); !cmp.Equal(got, []string{"d"}) {
				t.Errorf("delivered %q from memory; want d", got)
			}
			s.Append(entry(0, "e"))
			eventually(t, "another attempt", func() bool { return s.Stats().Failures > 2 })
			mend()
			eventually(t, "recovery", func() bool { return s.Stats().Durable && s.records.Load() > 0 })
			if diff := cmp.Diff(append(test.kept, "e"), waiting(t, s)); diff != "" {
				t.Errorf("waiting (-want +got):\n%s", diff)
			}
			balance(t, s)
			if book.count("telemetry is kept in memory only") != 1 || book.count("kept on disk again") != 1 {
				t.Errorf("log = %s; want one line for the failure and one for the recovery", book.text.String())
			}
			if book.count("attempt") != 0 || s.Stats().SetAside != 0 {
				t.Errorf("Stats() = %+v; want nothing set aside", s.Stats())
			}
			if ever, _ := s.Ledger(); ever[namePrompt].Observed != int64(2+len(test.kept)) {
				t.Errorf("ledger = %+v; want %d observed", ever, 2+len(test.kept))
			}
		})
	}
}

// TestDamagedFileIsSetAside damages a database in many ways before it is opened.
func TestDamagedFileIsSetAside(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"text":            func([]byte) []byte { return []byte(strings.Repeat("this is no database\n", 1000)) },
		"header of zeros": func(b []byte) []byte { clear(b[:100]); return b },
		"half":            func(b []byte) []byte { return b[:len(b)/2/4096*4096] },
		"zeros inside":    func(b []byte) []byte { clear(b[4096:]); return b },
		"noise inside":    func(b []byte) []byte { copy(b[4096:], noise("x", len(b)-4096)); return b },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filled(t)
			path := filepath.Join(dir, fileName)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(whole), 0o600); err != nil {
				t.Fatal(err)
			}
			book := &logbook{}
			s := open(t, Config{Dir: dir, Logger: book.logger()})
			s.Append(entry(0, "d"))
			synced(t, s)
			if got := s.Stats(); !got.Durable || got.SetAside != 1 || book.count("set aside") != 1 {
				t.Errorf("Stats() = %+v, log %s; want the file set aside once", got, book.text.String())
			}
			if _, err := os.Stat(path + damagedSuffix); err != nil {
				t.Errorf("Stat() = %v; want the damaged file kept", err)
			}
			if diff := cmp.Diff([]string{"d"}, waiting(t, s)); diff != "" {
				t.Errorf("waiting (-want +got):\n%s", diff)
			}
			balance(t, s)
		})
	}
}

// TestJournalIsSetAsideToo has a damaged database that SQLite left a journal beside, which belongs to nothing else.
func TestJournalIsSetAsideToo(t *testing.T) {
	path := filepath.Join(t.TempDir(), fileName)
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, suffix := range fileSuffixes() {
		write(path+damagedSuffix+suffix, "earlier")
	}
	write(path, "pages")
	write(path+"-wal", "frames")
	s := &Store{health: health{logger: (&logbook{}).logger()}}
	if err := s.setAside(path, errDamaged); err != nil {
		t.Fatalf("setAside() = %v", err)
	}
	got := map[string]string{}
	files, _ := filepath.Glob(path + "*")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		got[filepath.Base(file)] = string(text)
	}
	want := map[string]string{"state.db.damaged": "pages", "state.db.damaged-wal": "frames"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestClockWentBack has batches on disk that are newer than the clock, and one that came before they could be read.
func TestClockWentBack(t *testing.T) {
	dir := filled(t)
	script(t, dir, fmt.Sprintf("PRAGMA application_id = 1; UPDATE batches SET id = id + %d", time.Hour.Microseconds()))
	s := open(t, Config{Dir: dir, Batch: outbox.Limits{MaxRecords: 1}})
	s.Append(entry(0, "d"))
	s.Append(entry(0, "e"))
	script(t, dir, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	s.disk.Lock()
	s.retryAt = time.Time{}
	s.disk.Unlock()
	s.work(false)
	s.Append(entry(0, "f"))
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e", "f"}, waiting(t, s)); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
	balance(t, s)
	synced(t, s)
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e", "f"}, waiting(t, s)); diff != "" {
		t.Errorf("waiting on disk (-want +got):\n%s", diff)
	}
	balance(t, s)
}

// TestSetAsideExpires has a damaged database that nobody wanted for longer than a batch may wait.
func TestSetAsideExpires(t *testing.T) {
	const age = 24 * time.Hour
	dir := filled(t)
	path := filepath.Join(dir, fileName)
	aside := path + damagedSuffix
	there := func() bool { _, err := os.Stat(aside); return err == nil }
	older := func(file string, age time.Duration) {
		t.Helper()
		at := time.Now().Add(-age)
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, []byte("this is no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	older(path, 2*age)
	book := &logbook{}
	cfg := Config{Dir: dir, MaxAge: age, Logger: book.logger()}
	s := open(t, cfg)
	if !there() {
		t.Fatal("a file that was just set aside is gone; want its age counted from then")
	}
	older(aside, age-time.Hour)
	s.work(true)
	if !there() {
		t.Fatal("the file is gone before its time")
	}
	older(aside, age+time.Hour)
	s.work(true)
	if there() || book.count("damaged database deleted") != 1 || book.count("bytes=19") != 1 {
		t.Errorf("the file is there: %v, log %s; want it deleted and one line about it", there(), book.text.String())
	}
	s.Close()
	for _, suffix := range fileSuffixes() {
		if err := os.WriteFile(aside+suffix, []byte("rubbish"), 0o600); err != nil {
			t.Fatal(err)
		}
		older(aside+suffix, age+time.Hour)
	}
	s = open(t, cfg)
	if left, err := filepath.Glob(aside + "*"); err != nil || len(left) > 0 {
		t.Errorf("left after a start: %q, %v; want nothing", left, err)
	}
	if got := book.count("damaged database deleted"); got != 2 {
		t.Errorf("%d lines tell of deleted files; want 2", got)
	}
	balance(t, s)
}

// TestDamageWhileRunning damages the file under a Store that has batches in it.
func TestDamageWhileRunning(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, Batch: outbox.Limits{MaxRecords: 1}})
	for _, id := range []string{"a", "b", "c"} {
		s.Append(entry(600_000, id)) // More than SQLite has in its cache.
		synced(t, s)
	}
	s.disk.Lock()
	err := s.db.shrink()
	s.disk.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, fileName)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(noise("x", int(info.Size()))), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Append(entry(0, "d"))
	if e, ok := s.Next(0); !ok || ids(t, e)[0] != "d" {
		t.Errorf("Next() = %v, %v; want what is in memory", e.ID, ok)
	}
	run(t, s)
	eventually(t, "recovery", func() bool { return s.Stats().SetAside == 1 && s.Stats().Durable && s.records.Load() > 0 })
	balance(t, s)
	if ever, _ := s.Ledger(); ever[namePrompt].Settled[outbox.Damaged] != 3 || ever[namePrompt].Queued() != 1 {
		t.Errorf("ledger = %+v; want a, b and c damaged, and d waiting", ever)
	}
}

// TestDamageWhileSending finds the damage while one of the batches is on its way.
func TestDamageWhileSending(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, Batch: outbox.Limits{MaxRecords: 2}})
	s.Append(entry(0, "a", "b"))
	s.Append(entry(0, "c"))
	synced(t, s)
	e, _ := s.Next(0)
	s.disk.Lock()
	s.fails(errDamaged)
	s.disk.Unlock()
	s.work(false)
	balanceHeld(t, s, 2)
	first, rest := e.Split()
	s.Done(rest, outbox.Settled{outbox.Delivered: first.Counts})
	synced(t, s)
	balance(t, s)
	ever, _ := s.Ledger()
	if got := ever[namePrompt]; got.Settled[outbox.Damaged] != 1 || got.Settled[outbox.Delivered] != 1 || got.Queued() != 1 {
		t.Errorf("account = %+v; want c damaged, a delivered and b waiting", got)
	}
	crash(s)
	s = open(t, Config{Dir: dir})
	if again, _ := s.Ledger(); !cmp.Equal(again, ever) {
		t.Errorf("ledger after a restart = %+v; want %+v", again, ever)
	}
	if diff := cmp.Diff([]string{"b"}, waiting(t, s)); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
	balance(t, s)
}

// balanceHeld checks the books of a Store whose oldest batch is being sent.
func balanceHeld(t *testing.T, s *Store, want int64) {
	t.Helper()
	records, _ := s.Size()
	if ever, _ := s.Ledger(); ever.Total().Queued() != want || int64(records) != want {
		t.Errorf("ledger = %+v, Size() = %d; want %d records waiting", ever, records, want)
	}
}

// TestDamagedBatchIsSkipped has a batch whose bytes changed on the disk.
func TestDamagedBatchIsSkipped(t *testing.T) {
	dir := filled(t)
	script(t, dir, "UPDATE batches SET payload = CAST(substr(payload, 1, 100) AS BLOB) WHERE id = (SELECT min(id) FROM batches)")
	s := open(t, Config{Dir: dir})
	if diff := cmp.Diff([]string{"b", "c"}, waiting(t, s)); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
	ever, _ := s.Ledger()
	if ever[namePrompt].Settled[outbox.Damaged] != 1 || s.Stats().Unreadable != 1 {
		t.Errorf("ledger = %+v, Stats() = %+v; want one record damaged", ever, s.Stats())
	}
	balance(t, s)
	synced(t, s)
	crash(s)
	s = open(t, Config{Dir: dir})
	balance(t, s)
}

// TestBooksAreMended has lost some of the books, or some of the batches.
func TestBooksAreMended(t *testing.T) {
	for name, text := range map[string]string{
		"no books":         "DELETE FROM ledger",
		"a batch less":     "DELETE FROM batches WHERE id = (SELECT min(id) FROM batches)",
		"books that lie":   "UPDATE ledger SET records = 1",
		"another's counts": "UPDATE batches SET counts = '{\"codex.user_prompt\":2,\"x\":1}', records = 3",
	} {
		t.Run(name, func(t *testing.T) {
			dir := filled(t)
			script(t, dir, text)
			s := open(t, Config{Dir: dir})
			ever, _ := s.Ledger()
			records, _ := s.Size()
			if ever.Queued().Total() != records {
				t.Errorf("books tell of %v; want %d", ever.Queued(), records)
			}
			synced(t, s)
			crash(s)
			s = open(t, Config{Dir: dir})
			if again, _ := s.Ledger(); !cmp.Equal(again, ever) {
				t.Errorf("ledger after another start = %+v; want %+v", again, ever)
			}
		})
	}
}

// TestFileIsTakenAway removes the directory of a Store that runs.
func TestFileIsTakenAway(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, Config{Dir: dir})
	s.Append(entry(0, "a"))
	synced(t, s)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	s.work(true)
	s.Append(entry(0, "b"))
	s.work(true)
	eventually(t, "a new file", func() bool { s.work(true); _, err := os.Stat(filepath.Join(dir, fileName)); return err == nil })
	s.work(false)
	balance(t, s)
	ever, _ := s.Ledger()
	if got := ever[namePrompt]; got.Settled[outbox.Damaged] != 1 || got.Queued() != 1 {
		t.Errorf("account = %+v; want a lost with the file and b waiting", got)
	}
}
