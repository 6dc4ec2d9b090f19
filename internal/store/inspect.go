package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Inspection is what can be seen of a state directory without changing it.
type Inspection struct {
	// Exists tells whether the directory is there, Nearest is what there is of its
	// path.
	Exists  bool
	Nearest string
	// Loose are names of files, "." for the directory itself, that others than the
	// owner may read or write.
	Loose []string
	// Held tells whether a process keeps its state there, PID which one, 0 if that
	// is not known.
	Held bool
	PID  int
	// Schema is the version of the database, 0 without one; Known is the version
	// that this program writes.
	Schema, Known int
	// Trouble is why the database could not be read, as in Stats.
	Trouble string
	// Bytes is the size of the files.
	Bytes int64
	// Free is how much may be written beside, -1 if that is not known.
	Free int64
}

// Inspect looks at a state directory. The error tells that it cannot be looked at.
func Inspect(ctx context.Context, dir string) (Inspection, error) {
	nearest := existing(dir)
	found := Inspection{Nearest: nearest, Known: len(migrations()), Free: freeBytes(nearest)}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return found, nil
	case err != nil:
		return found, fmt.Errorf("look at state directory: %w", err)
	case !info.IsDir():
		return found, fmt.Errorf("look at state directory: %s is no directory", dir)
	}
	found.Exists = true
	if info.Mode().Perm()&0o077 != 0 {
		found.Loose = append(found.Loose, ".")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return found, fmt.Errorf("look at state directory: %w", err)
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), fileName) && entry.Name() != lockName {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			continue // Gone meanwhile.
		}
		found.Bytes += info.Size()
		if info.Mode().Perm()&0o077 != 0 {
			found.Loose = append(found.Loose, entry.Name())
		}
	}
	found.Held, found.PID = holder(dir)
	found.Schema, err = schemaIn(ctx, filepath.Join(dir, fileName))
	if err == nil && found.Schema > found.Known {
		err = errNewer
	}
	if err != nil {
		found.Trouble = reason(err)
	}
	return found, nil
}

// existing returns the nearest directory that is there.
func existing(dir string) string {
	for {
		parent := filepath.Dir(dir)
		if _, err := os.Stat(dir); err == nil || parent == dir {
			return dir
		}
		dir = parent
	}
}

// holder returns whether a process has the lock of a directory, and which one.
func holder(dir string) (held bool, pid int) {
	path := filepath.Join(dir, lockName)
	if _, err := os.Stat(path); err != nil {
		return false, 0
	}
	f, err := openLocked(path)
	if err != nil {
		return isTaken(err), readPID(path)
	}
	f.Close()
	return false, 0
}

// schemaIn returns the version of the database in a file, 0 for no file.
func schemaIn(ctx context.Context, path string) (int, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	db, err := openReadOnly(path)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	return schemaVersion(ctx, db)
}
