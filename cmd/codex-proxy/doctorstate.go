package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/internal/store"
)

// leastFree is how much a disk should have free whatever store.max_bytes says.
const leastFree = 64 << 20

// checkState looks at the state directory. If no proxy has it, a file is made there and removed.
func (*doctor) checkState(ctx context.Context, cfg *config.Config) []finding {
	const check = "state directory"
	switch {
	case cfg.Store.InMemory() && cfg.OTel.Exporter.None():
		return []finding{{check, statusOK, "not needed: there is no exporter"}}
	case cfg.Store.InMemory():
		return []finding{{check, statusWarn, "store.dir keeps everything in memory: what waits for the collector is lost when the proxy ends"}}
	case cfg.OTel.Exporter.None() && !cfg.Store.History:
		return []finding{{check, statusOK, "not needed: there is neither an exporter nor a history"}}
	}
	dir, err := storeDir(cfg)
	if err != nil {
		return []finding{{check, statusFail, err.Error() + "; set store.dir"}}
	}
	seen, err := store.Inspect(ctx, dir)
	if err != nil {
		return []finding{{check, statusFail, err.Error()}}
	}
	f := finding{check, statusOK, dir}
	worse := func(s status, format string, args ...any) {
		f.Detail += "; " + fmt.Sprintf(format, args...)
		if s == statusFail || f.Status == statusOK {
			f.Status = s
		}
	}
	if !seen.Exists {
		f.Detail += " is not there yet"
		if err := writable(seen.Nearest); err != nil {
			worse(statusFail, "it cannot be made: %v", err)
		}
	} else {
		f.Detail += describeState(seen)
		if !seen.Held {
			if err := writable(dir); err != nil {
				worse(statusFail, "it cannot be written: %v", err)
			}
		}
	}
	if len(seen.Loose) > 0 {
		worse(statusWarn, "others may read %s: want mode 0700 for the directory, 0600 for its files", strings.Join(seen.Loose, ", "))
	}
	switch seen.Trouble {
	case "":
	case "newer_schema":
		worse(statusFail, "its database is of a newer codex-proxy (schema %d, this one knows %d)", seen.Schema, seen.Known)
	case "damaged":
		worse(statusWarn, "its database is damaged: the proxy sets it aside and begins a new one")
	default:
		worse(statusFail, "its database cannot be used: %s", seen.Trouble)
	}
	switch free, want := seen.Free, int64(cfg.Store.MaxBytes)-seen.Bytes; {
	case free < 0:
	case free < leastFree:
		worse(statusFail, "the disk has %s free", size(free))
	case free < want:
		worse(statusWarn, "the disk has %s free, and store.max_bytes allows %s more", size(free), size(want))
	default:
		f.Detail += ", " + size(free) + " free"
	}
	return []finding{f}
}

// describeState says what is in a state directory.
func describeState(seen store.Inspection) string {
	text := fmt.Sprintf(": %s, schema %d", size(seen.Bytes), seen.Schema)
	switch {
	case seen.Held && seen.PID > 0:
		return text + fmt.Sprintf(", in use by process %d", seen.PID)
	case seen.Held:
		return text + ", in use by a process"
	default:
		return text + ", in use by nobody"
	}
}

// writable makes a file in a directory and removes it.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, "doctor-*")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}

// size writes bytes as people read them.
func size(bytes int64) string {
	switch {
	case bytes >= 10<<30:
		return fmt.Sprintf("%d GiB", bytes>>30)
	case bytes >= 10<<20:
		return fmt.Sprintf("%d MiB", bytes>>20)
	default:
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
}
