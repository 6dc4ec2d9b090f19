package store

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// mounted returns a directory on a file system of its own, of so many KiB.
func mounted(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", size)); err != nil {
		t.Skipf("cannot mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("Unmount() = %v", err)
		}
	})
	return dir
}

// TestFullDisk fills a disk, then makes space.
func TestFullDisk(t *testing.T) {
	dir := mounted(t, 1024)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 600<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	book := &logbook{}
	state := filepath.Join(dir, "state")
	s := open(t, Config{Dir: state, Retry: 20 * time.Millisecond, Memory: outbox.Limits{MaxBytes: 2 << 20}, Logger: book.logger()})
	run(t, s)
	for i := range 400 {
		s.Append(entry(8000, fmt.Sprint(i)))
		if i%20 == 0 {
			_ = s.Sync(t.Context())
			balance(t, s)
		}
	}
	eventually(t, "a full disk", func() bool { return s.Stats().Trouble == "disk_full" })
	deliver(t, s, 2)
	balance(t, s)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	// There is room for a part only, until some is delivered.
	for s.Sync(t.Context()) != nil {
		deliver(t, s, 1)
	}
	s.Append(entry(0, "newest"))
	synced(t, s)
	balance(t, s)
	if book.count("reason=disk_full") != 1 {
		t.Errorf("log = %s; want one line about the disk", book.text.String())
	}
	crash(s)
	s = open(t, Config{Dir: state})
	balance(t, s)
	if got := waiting(t, s); len(got) == 0 || got[len(got)-1] != "newest" {
		t.Errorf("%d records wait; want the newest among them", len(got))
	}
}

// TestReadOnlyDisk makes a disk read-only under a Store, and starts another one there.
func TestReadOnlyDisk(t *testing.T) {
	dir := mounted(t, 4096)
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Skipf("cannot remount: %v", err)
		}
	}
	state := filepath.Join(dir, "state")
	s := open(t, Config{Dir: state})
	s.Append(entry(0, "a"))
	synced(t, s)
	s.Close()
	remount(syscall.MS_RDONLY)
	s = open(t, Config{Dir: state, Retry: 20 * time.Millisecond})
	run(t, s)
	s.Append(entry(0, "b"))
	if got := s.Stats(); got.Durable || got.Trouble != "read_only" {
		t.Errorf("Stats() = %+v; want a read-only disk", got)
	}
	if got := deliver(t, s, 1); got[0] != "b" {
		t.Errorf("delivered %q; want b, from memory", got)
	}
	s.Append(entry(0, "c"))
	balance(t, s)
	remount(0)
	eventually(t, "recovery", func() bool { return s.Stats().Durable && s.records.Load() == 2 })
	balance(t, s)
	if got := waiting(t, s); len(got) != 2 || got[0] != "a" || got[1] != "c" {
		t.Errorf("waiting = %q; want a and c", got)
	}
}
