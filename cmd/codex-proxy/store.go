package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/internal/outbox"
	"github.com/codex-proxy/codex-proxy/internal/store"
)

// sealDelay is how long a batch that goes to disk gathers records. With store.Config.Delay and a transaction it stays below
// the 200 ms that a record may be in memory alone.
const sealDelay = 90 * time.Millisecond

// openStore returns the store of the records that wait and of the history, nil if there is no need for one: without an
// exporter nothing waits.
func openStore(cfg *config.Config, logger *slog.Logger) (*store.Store, error) {
	if cfg.Store.InMemory() || cfg.OTel.Exporter.None() && !cfg.Store.History {
		return nil, nil //nolint:nilnil // no store is a choice, not an error
	}
	dir, err := storeDir(cfg)
	if err != nil {
		logger.Warn("telemetry is kept in memory only", slog.String("error", err.Error()),
			slog.String("hint", `set store.dir, or "memory" if that is meant`))
		return nil, nil //nolint:nilnil // as above
	}
	s, err := store.Open(store.Config{
		Dir: dir, MaxBytes: int64(cfg.Store.MaxBytes), MaxAge: cfg.Store.MaxAge,
		Memory:  outbox.Limits{MaxRecords: cfg.Queue.MaxRecords, MaxBytes: cfg.Queue.MaxBytes},
		History: cfg.Store.History, NoSender: cfg.OTel.Exporter.None(), Logger: logger,
	})
	if err != nil {
		if _, ok := errors.AsType[*store.InUseError](err); ok {
			return nil, fmt.Errorf(`open store: %w; end it, or set store.dir to another directory or "memory"`, err)
		}
		return nil, err
	}
	return s, nil
}

// storeDir returns the configured state directory.
func storeDir(cfg *config.Config) (string, error) {
	if cfg.Store.Dir == config.StoreAuto {
		return stateDir(os.Getenv)
	}
	return cfg.Store.Dir, nil
}

// stateDir returns the state directory of the user, by the XDG base directory specification.
func stateDir(getenv func(string) string) (string, error) {
	// A relative path in the variable is to be ignored.
	if state := getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "codex-proxy"), nil
	}
	home := getenv("HOME")
	if !filepath.IsAbs(home) {
		return "", errors.New("find state directory: neither XDG_STATE_HOME nor HOME is set")
	}
	return filepath.Join(home, ".local", "state", "codex-proxy"), nil
}
