package store

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

func TestStoreOutlivesCrash(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	s.Append(entry(0, "a", "~b"))
	s.Append(entry(0, "c"))
	synced(t, s)
	s.Append(entry(0, "lost"))
	if diff := cmp.Diff([]string{"a", "~b", "c", "lost"}, waiting(t, s)); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	balance(t, s)
	crash(s)

	s = open(t, Config{Dir: dir})
	balance(t, s)
	s.Append(entry(0, "d"))
	if diff := cmp.Diff([]string{"a", "~b", "c", "d"}, waiting(t, s)); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
	if got := deliver(t, s, 1); !cmp.Equal(got, []string{"a", "~b", "c"}) {
		t.Errorf("first delivery = %q; want what waited, joined", got)
	}
	balance(t, s)
	if lost := s.Close(); lost != 0 {
		t.Errorf("Close() = %d; want nothing lost", lost)
	}

	s = open(t, Config{Dir: dir})
	balance(t, s)
	if diff := cmp.Diff([]string{"d"}, waiting(t, s)); diff != "" {
		t.Errorf("at last (-want +got):\n%s", diff)
	}
	ever, process := s.Ledger()
	if ever[namePrompt].Observed != 3 || ever[namePrompt].Settled[outbox.Delivered] != 2 || ever[nameSSE].Settled[outbox.Delivered] != 1 {
		t.Errorf("ever = %+v; want 3 prompts, 2 of them and a delta delivered", ever)
	}
	if process[namePrompt].Observed != 1 {
		t.Errorf("process = %+v; want what was found", process)
	}
}

func TestFilesAreForTheOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "codex-proxy")
	s := open(t, Config{Dir: dir})
	s.Append(entry(0, "a"))
	synced(t, s)
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 4 {
		t.Fatalf("ReadDir() = %v, %v; want the database, its journal and index, and the lock", files, err)
	}
	for _, file := range files {
		if info, _ := file.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v; want 0600", file.Name(), info.Mode())
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory has mode %v; want 0700", info.Mode())
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	_, err := Open(Config{Dir: dir})
	want := fmt.Sprintf("state directory %s is in use by process %d", dir, os.Getpid())
	if err == nil || err.Error() != want {
		t.Errorf("second Open() = %v; want %s", err, want)
	}
	s.Close()
	open(t, Config{Dir: dir})
}

// TestRunWritesInTime writes 50 ms after the first of some batches, in one transaction.
func TestRunWritesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Dir: t.TempDir()})
		run(t, s)
		<-time.After(time.Second)
		for i := range 20 {
			before := s.Stats().Commits
			for j := range 5 {
				s.Append(entry(0, fmt.Sprint(i, j)))
				<-time.After(10 * time.Millisecond)
			}
			synctest.Wait()
			if got := s.records.Load(); got != int64(5*i+5) {
				t.Fatalf("%d records on disk 50 ms after the first; want %d", got, 5*i+5)
			}
			if got := s.Stats(); !got.Durable || got.Commits != before+1 || got.Bytes == 0 {
				t.Errorf("Stats() = %+v; want one transaction more than %d", got, before)
			}
		}
	})
}

// TestDeliveredInTimeIsNeverWritten has a collector that is faster than the disk.
func TestDeliveredInTimeIsNeverWritten(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	for i := range 100 {
		s.Append(entry(1000, fmt.Sprint(i)))
	}
	synced(t, s)
	size := s.Stats().Bytes
	deliver(t, s, 1)
	for range 100 {
		s.Append(entry(1000, "x"))
		if e, ok := s.Next(s.Last() - 1); ok {
			s.Done(outbox.Entry{ID: e.ID}, outbox.Settled{outbox.Delivered: e.Counts})
		}
	}
	synced(t, s)
	if got := s.Stats().Bytes; got > size {
		t.Errorf("database grew from %d to %d bytes for what was delivered before", size, got)
	}
	balance(t, s)
}

// TestClaimOutlivesTransaction writes a batch while it is being sent.
func TestClaimOutlivesTransaction(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	s.Append(entry(0, "a", "b"))
	e, _ := s.Next(0)
	synced(t, s)
	first, rest := e.Split()
	s.Done(rest, outbox.Settled{outbox.Delivered: first.Counts})
	balance(t, s)
	synced(t, s)
	crash(s)
	s = open(t, Config{Dir: dir})
	if diff := cmp.Diff([]string{"b"}, waiting(t, s)); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
	balance(t, s)
}

// TestBacklogLeavesInFewRequests joins small batches, and keeps what of a joined
// one was not delivered in its place.
func TestBacklogLeavesInFewRequests(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, Batch: outbox.Limits{MaxRecords: 10}})
	var want []string
	for i := range 35 {
		want = append(want, fmt.Sprint(i))
		s.Append(entry(0, want[i]))
		synced(t, s)
	}
	e, _ := s.Next(0)
	if diff := cmp.Diff(want[:10], ids(t, e)); diff != "" {
		t.Errorf("first batch (-want +got):\n%s", diff)
	}
	first, rest := e.Split()
	s.Done(rest, outbox.Settled{outbox.Delivered: first.Counts})
	if diff := cmp.Diff(want[5:], waiting(t, s)); diff != "" {
		t.Errorf("before the transaction (-want +got):\n%s", diff)
	}
	balance(t, s)
	synced(t, s)
	if diff := cmp.Diff(want[5:], waiting(t, s)); diff != "" {
		t.Errorf("after the transaction (-want +got):\n%s", diff)
	}
	requests := 0
	for after := uint64(0); ; requests++ {
		e, ok := s.Next(after)
		if !ok {
			break
		}
		s.Done(e, nil)
		after = e.ID
	}
	if requests != 3 {
		t.Errorf("%d requests for 30 records; want 3", requests)
	}
}

func TestExpiry(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), MaxAge: time.Nanosecond})
	s.Append(entry(0, "a"))
	s.Append(entry(0, "claimed"))
	s.disk.Lock()
	s.cfg.MaxAge = time.Hour
	s.disk.Unlock()
	synced(t, s)
	s.Append(entry(0, "b"))
	synced(t, s)
	e, _ := s.Next(0)
	s.disk.Lock()
	s.cfg.MaxAge = -time.Hour
	s.disk.Unlock()
	synced(t, s)
	s.Done(e, nil)
	if got := waiting(t, s); len(got) != 3 {
		t.Errorf("waiting = %q; want what is being sent to stay", got)
	}
	synced(t, s)
	if got := waiting(t, s); len(got) != 0 {
		t.Errorf("waiting = %q; want nothing", got)
	}
	if ever, _ := s.Ledger(); ever[namePrompt].Settled[outbox.Expired] != 3 {
		t.Errorf("ledger = %+v; want 3 expired", ever)
	}
	balance(t, s)
}

// TestExpiryOfManyBatches drops more than are looked at together.
func TestExpiryOfManyBatches(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), Batch: outbox.Limits{MaxRecords: 1}})
	for i := range 5 * chunk / 2 {
		s.Append(entry(0, fmt.Sprint(i)))
	}
	synced(t, s)
	s.disk.Lock()
	s.cfg.MaxAge = -time.Hour
	s.disk.Unlock()
	synced(t, s)
	if ever, _ := s.Ledger(); ever[namePrompt].Settled[outbox.Expired] != 5*chunk/2 {
		t.Errorf("ledger = %+v; want all expired", ever)
	}
	balance(t, s)
}

// TestSettings checks what keeps a power cut from costing more than the last transaction.
func TestSettings(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "auto_vacuum": "2", "fullfsync": "1", "checkpoint_fullfsync": "1", "trusted_schema": "0",
	} {
		var got string
		if err := s.db.sql.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("PRAGMA %s = %q, %v; want %q", pragma, got, err, want)
		}
	}
}
