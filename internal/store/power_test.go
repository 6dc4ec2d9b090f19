package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// files are the bytes of a database and its journal.
type files struct{ db, wal []byte }

func copyFiles(t *testing.T, dir string) files {
	t.Helper()
	var f files
	for suffix, to := range map[string]*[]byte{"": &f.db, "-wal": &f.wal} {
		bytes, err := os.ReadFile(filepath.Join(dir, fileName) + suffix)
		if err != nil && suffix == "" {
			t.Fatal(err)
		}
		*to = bytes
	}
	return f
}

// reopened returns the ids of what a Store finds in the files: what waits, then the history. Its ledger must balance.
func reopened(t *testing.T, dir string, f files) []string {
	t.Helper()
	path := filepath.Join(dir, fileName)
	_ = os.Remove(path + "-shm")
	for suffix, bytes := range map[string][]byte{"": f.db, "-wal": f.wal} {
		if err := os.WriteFile(path+suffix, bytes, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	if stats := s.Stats(); !stats.Durable || stats.SetAside != 0 {
		t.Fatalf("Stats() = %+v; want an intact database", stats)
	}
	found := append(waiting(t, s), toldTo(t, &Reader{sql: &s.db.sql, codec: s.codec}, time.Time{}, time.Time{})...)
	balance(t, s)
	// Closing syncs, which takes longer than all the rest.
	if _, err := s.db.sql.ExecContext(t.Context(), "PRAGMA synchronous = off"); err != nil {
		t.Fatal(err)
	}
	crash(s)
	return found
}

// everyOffset asks for all offsets, which are some 180,000 databases to open for the checkpoint alone: give it a -timeout.
// Otherwise, of a journal it is every 101st, and all around the ends of frames, a tenth of that with -short; of a database it
// is every 211th.
const everyOffset = "STORE_TEST_EVERY_OFFSET"

// offsets returns those offsets from one to another that are due, and the last; all of them if that is asked for.
func offsets(from, to int, due func(at int) bool) []int {
	var all []int
	for at := from; at <= to; at++ {
		if at == to || due(at) || os.Getenv(everyOffset) != "" {
			all = append(all, at)
		}
	}
	return all
}

// dueInJournal reports whether a journal is cut at an offset.
func dueInJournal(at int) bool {
	const frame, header = 4096 + 24, 32
	step, around := 101, 26
	if testing.Short() {
		step, around = 997, 3
	}
	edge := (at - header) % frame
	return at%step == 0 || edge < around || edge > frame-3
}

// dueInDatabase reports whether a database is cut at an offset.
func dueInDatabase(at int) bool { return at%211 == 0 }

func TestEveryOffsetIsCut(t *testing.T) {
	for name, due := range map[string]func(int) bool{"journal": dueInJournal, "database": dueInDatabase} {
		t.Setenv(everyOffset, "")
		if got := offsets(0, 99_999, due); len(got) < 10 || len(got) > 5_000 || got[len(got)-1] != 99_999 {
			t.Errorf("%s: %d offsets of 100000; want some, the last among them", name, len(got))
		}
		t.Setenv(everyOffset, "1")
		if got := offsets(0, 99_999, due); len(got) != 100_000 {
			t.Errorf("%s: %d offsets of 100000; want all", name, len(got))
		}
	}
}

// TestPowerLossInTransaction cuts the journal at every offset of the last transaction, which changes batches, books, history and
// what is held, and leaves rubbish in place of the rest. A part of a transaction must count as none.
func TestPowerLossInTransaction(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, History: true})
	s.Append(entry(300, "a", "~b"))
	synced(t, s)
	deliver(t, s, 1)
	s.Append(entry(300, "c"))
	s.Keep(1, entry(0, "kept"))
	synced(t, s)
	before := copyFiles(t, dir)
	s.Append(entry(300, "d", "~e"))
	s.Forget([]uint64{1})
	s.Keep(2, entry(0, "kept later"))
	synced(t, s)
	after := copyFiles(t, dir)
	if len(after.wal) <= len(before.wal) || !cmp.Equal(before.db, after.db) {
		t.Fatalf("journal went from %d to %d bytes; want one more transaction", len(before.wal), len(after.wal))
	}
	scratch, cuts := t.TempDir(), offsets(len(before.wal), len(after.wal), dueInJournal)
	t.Logf("journal cut at %d offsets of a transaction of %d bytes", len(cuts), len(after.wal)-len(before.wal))
	for _, at := range cuts {
		for _, rest := range []int{0, len(after.wal) - at} {
			cut := files{db: after.db, wal: append(append([]byte(nil), after.wal[:at]...), make([]byte, rest)...)}
			want := []string{"c", "kept", "a", "c"}
			if at == len(after.wal) {
				want = []string{"c", "d", "~e", "kept later", "a", "c", "d"}
			}
			if got := reopened(t, scratch, cut); !cmp.Equal(got, want) {
				t.Fatalf("cut at %d of %d, %d bytes of zeros behind: found %q; want %q", at, len(after.wal), rest, got, want)
			}
		}
		if t.Failed() {
			return
		}
	}
}

// TestPowerLossInCheckpoint has the database written up to every offset while the journal is folded into it.
func TestPowerLossInCheckpoint(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	want := []string{"a", "~b", "c", "d"}
	s.Append(entry(3000, want[:2]...))
	synced(t, s)
	s.Append(entry(3000, want[2]))
	synced(t, s)
	s.Append(entry(10, want[3]))
	synced(t, s)
	before := copyFiles(t, dir)
	s.disk.Lock()
	err := s.db.shrink()
	s.disk.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	after := copyFiles(t, dir)
	if len(after.wal) != 0 || len(after.db) <= len(before.db) {
		t.Fatalf("database went from %d to %d bytes, journal is %d; want it folded in", len(before.db), len(after.db), len(after.wal))
	}
	scratch, cuts := t.TempDir(), offsets(0, len(after.db), dueInDatabase)
	t.Logf("database cut at %d offsets of %d bytes", len(cuts), len(after.db))
	for _, at := range cuts {
		// Pages reach the disk in any order: the first ones, or the last ones.
		for _, db := range [][]byte{
			append(append([]byte(nil), after.db[:at]...), before.db[min(at, len(before.db)):]...),
			append(append(append([]byte(nil), before.db[:min(at, len(before.db))]...), make([]byte, max(0, at-len(before.db)))...), after.db[at:]...),
		} {
			if got := reopened(t, scratch, files{db: db, wal: before.wal}); !cmp.Equal(got, want) {
				t.Fatalf("cut at %d of %d: found %q; want %q", at, len(after.db), got, want)
			}
		}
		if t.Failed() {
			return
		}
	}
}
