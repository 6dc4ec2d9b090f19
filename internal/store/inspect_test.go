package store

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInspect looks at directories in every state.
func TestInspect(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "a", "b")
	got, err := Inspect(t.Context(), missing)
	if err != nil || got.Exists || got.Held || got.Schema != 0 || got.Free == 0 {
		t.Errorf("Inspect() of nothing = %+v, %v", got, err)
	}
	if _, err := os.Stat(filepath.Dir(missing)); !os.IsNotExist(err) {
		t.Errorf("Stat() = %v; want nothing made", err)
	}

	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, Config{Dir: dir})
	s.Append(entry(0, "a"))
	synced(t, s)
	got, err = Inspect(t.Context(), dir)
	want := Inspection{Exists: true, Nearest: dir, Held: true, PID: os.Getpid(), Schema: len(migrations()), Known: len(migrations()), Bytes: got.Bytes, Free: got.Free}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || got.Bytes == 0 {
		t.Errorf("Inspect() beside a Store, %v (-want +got):\n%s", err, diff)
	}
	s.Close()
	if got, err = Inspect(t.Context(), dir); err != nil || got.Held {
		t.Errorf("Inspect() after Close() = %+v, %v; want nobody there", got, err)
	}
	// Looking does not keep a Store out.
	open(t, Config{Dir: dir}).Close()

	for _, name := range []string{dir, filepath.Join(dir, fileName)} {
		if err := os.Chmod(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got, err = Inspect(t.Context(), dir); err != nil || !slices.Equal(got.Loose, []string{".", fileName}) {
		t.Errorf("Inspect() of what others may read = %+v, %v", got, err)
	}
	script(t, dir, "PRAGMA user_version = 99")
	if got, err = Inspect(t.Context(), dir); err != nil || got.Trouble != "newer_schema" || got.Schema != 99 {
		t.Errorf("Inspect() of a newer schema = %+v, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(dir, fileName), []byte(noise("x", 9000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err = Inspect(t.Context(), dir); err != nil || got.Trouble != "damaged" {
		t.Errorf("Inspect() of noise = %+v, %v", got, err)
	}
	if _, err := Inspect(t.Context(), filepath.Join(dir, fileName)); err == nil {
		t.Error("Inspect() of a file = nil; want an error")
	}
}
