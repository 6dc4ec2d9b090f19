package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// TestKeptOutlivesCrash keeps batches, changes and forgets some, and wants the next start to send the others.
func TestKeptOutlivesCrash(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	s.Keep(1, entry(0, "kept"))
	s.Keep(2, entry(0, "changed from"))
	s.Keep(3, entry(0, "forgotten later"))
	s.Keep(4, entry(0, "forgotten at once"))
	s.Forget([]uint64{4, 5})
	synced(t, s)
	s.Keep(2, entry(0, "changed to"))
	s.Append(entry(0, "appended"))
	s.Forget([]uint64{3})
	if records, _ := s.Size(); records != 1 || len(waiting(t, s)) != 1 {
		t.Errorf("Size() = %d; want what is kept not to count, nor to be sent", records)
	}
	synced(t, s)
	ever, _ := s.Ledger()
	if got := ever.Total().Observed; got != 1 {
		t.Errorf("observed = %d; want what is kept not in the books", got)
	}
	crash(s)

	s = open(t, Config{Dir: dir})
	if diff := cmp.Diff([]string{"appended", "kept", "changed to"}, waiting(t, s)); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
	balance(t, s)
	crash(s) // Before it is written: the same is found again, and once.

	for range 2 {
		s = open(t, Config{Dir: dir})
		synced(t, s)
		if diff := cmp.Diff([]string{"appended", "kept", "changed to"}, waiting(t, s)); diff != "" {
			t.Errorf("waiting (-want +got):\n%s", diff)
		}
		if ever, _ := s.Ledger(); ever.Total().Observed != 3 {
			t.Errorf("ledger = %+v; want three records observed", ever)
		}
		balance(t, s)
		crash(s)
	}
}

// TestForgottenAfterWhatTakesItsPlace has more to write than one transaction may have.
func TestForgottenAfterWhatTakesItsPlace(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	s.Keep(1, entry(0, "kept"))
	synced(t, s)
	s.Append(entry(maxTransaction, "large"))
	s.Append(entry(0, "appended"))
	s.Forget([]uint64{1})
	s.disk.Lock()
	more, err := s.commitPart()
	s.disk.Unlock()
	if !more || err != nil {
		t.Fatalf("commitPart() = %v, %v; want more to write", more, err)
	}
	crash(s)
	s = open(t, Config{Dir: dir})
	if diff := cmp.Diff([]string{"large", "kept"}, waiting(t, s)); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
}

// TestKeptWhileNothingCanBeWritten fails transactions in between.
func TestKeptWhileNothingCanBeWritten(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	fail := func(on bool) {
		t.Helper()
		text := "DROP TRIGGER full"
		if on {
			text = "CREATE TRIGGER full BEFORE INSERT ON held BEGIN SELECT RAISE(ABORT, 'full'); END"
		}
		s.disk.Lock()
		defer s.disk.Unlock()
		if _, err := s.db.sql.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	s.Keep(1, entry(0, "old"))
	synced(t, s)
	fail(true)
	s.Keep(1, entry(0, "new"))
	s.Keep(2, entry(0, "other"))
	s.Keep(3, entry(0, "forgotten"))
	for range 3 {
		if err := s.Sync(t.Context()); err == nil {
			t.Fatal("Sync() = nil; want why nothing is written")
		}
	}
	s.Forget([]uint64{3})
	if n := len(s.held.gone) + len(s.held.there); n != 1 {
		t.Errorf("%d keys are known; want the one that is on disk", n)
	}
	fail(false)
	synced(t, s)
	crash(s)
	s = open(t, Config{Dir: dir})
	if diff := cmp.Diff([]string{"new", "other"}, waiting(t, s)); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
}

// TestForgottenWhileBeingWritten forgets between the begin of a transaction and its failure.
func TestForgottenWhileBeingWritten(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	s.Keep(1, entry(0, "a"))
	s.Keep(2, entry(0, "b"))
	c := s.held.begin()
	s.Forget([]uint64{1})
	s.Keep(2, entry(0, "c"))
	s.held.undo(c)
	if len(s.held.gone) != 0 || len(s.held.there) != 0 || len(s.held.fresh) != 1 || ids(t, s.held.fresh[2])[0] != "c" {
		t.Errorf("held = %v, %v, %v; want c alone to be written", s.held.fresh, s.held.there, s.held.gone)
	}
}

// TestDamagedKeptIsSkipped has what was kept changed on the disk.
func TestDamagedKeptIsSkipped(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	for key, id := range []string{"a", "b", "c", "d", "e", "f"} {
		s.Keep(uint64(key), entry(0, id))
	}
	synced(t, s)
	crash(s)
	script(t, dir, "UPDATE held SET payload = x'00' WHERE key = 0; UPDATE held SET counts = 'x' WHERE key = 1; UPDATE held SET records = 0 WHERE key = 2;"+
		"UPDATE held SET counts = '{}' WHERE key = 4; UPDATE held SET payload = x'' WHERE key = 5")
	s = open(t, Config{Dir: dir})
	if diff := cmp.Diff([]string{"d"}, waiting(t, s)); diff != "" || s.Stats().Unreadable != 5 {
		t.Errorf("waiting (-want +got), Stats() = %+v:\n%s", s.Stats(), diff)
	}
	balance(t, s)
}

// TestSyncSharesTransactions has many wait at once.
func TestSyncSharesTransactions(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	const waiters = 200
	s.disk.Lock()
	var wait sync.WaitGroup
	for range waiters {
		wait.Go(func() {
			s.Append(entry(0, "x"))
			if err := s.Sync(t.Context()); err != nil {
				t.Errorf("Sync() = %v", err)
			}
		})
	}
	s.disk.Unlock()
	wait.Wait()
	if got := s.Stats().Commits; got > waiters/2 {
		t.Errorf("%d transactions for %d; want many to share one", got, waiters)
	}
	crash(s)
	s = open(t, Config{Dir: dir})
	if got := len(waiting(t, s)); got != waiters {
		t.Errorf("%d records on disk; want %d", got, waiters)
	}
}

// TestSyncIsBounded has a disk that hangs.
func TestSyncIsBounded(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	s.Append(entry(0, "a"))
	s.disk.Lock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for range 3 {
		if err := s.Sync(ctx); !errors.Is(err, context.DeadlineExceeded) || Trouble(err) != "timeout" {
			t.Errorf("Sync() = %v, %q; want the end of waiting", err, Trouble(err))
		}
	}
	s.disk.Unlock()
	synced(t, s)
	s.Close()
	if err := s.Sync(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("Sync() after Close() = %v; want %v", err, errClosed)
	}
}

// TestOldSchema opens a database that version 1 of the schema left: two records delivered, three waiting.
func TestOldSchema(t *testing.T) {
	old, err := os.ReadFile(filepath.Join("testdata", "schema1.db"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileName), old, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, Config{Dir: dir})
	if diff := cmp.Diff([]string{"c", "d", "~e"}, waiting(t, s)); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
	balance(t, s)
	ever, _ := s.Ledger()
	if got := ever.Total(); got.Observed != 5 || got.Settled[outbox.Delivered] != 2 {
		t.Errorf("total = %+v; want 5 observed, 2 delivered", got)
	}
	s.Keep(1, entry(0, "kept"))
	s.Append(entry(0, "new"))
	synced(t, s)
	crash(s)
	s = open(t, Config{Dir: dir})
	if diff := cmp.Diff([]string{"c", "d", "~e", "new", "kept"}, waiting(t, s)); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
	balance(t, s)
}
