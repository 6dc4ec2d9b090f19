package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// damagedSuffix is appended to the names of files that were set aside.
const damagedSuffix = ".damaged"

// attach opens the database. A damaged one is set aside for a new one.
func (s *Store) attach() error {
	if s.lock == nil {
		if err := os.MkdirAll(s.cfg.Dir, 0o700); err != nil {
			return fmt.Errorf("make state directory: %w", err)
		}
		lock, err := lockDir(s.cfg.Dir)
		if err != nil {
			return err
		}
		s.lock = lock
	}
	path := filepath.Join(s.cfg.Dir, fileName)
	db, found, err := openDatabase(path, migrations())
	if isDamage(err) {
		if err := s.setAside(path, err); err != nil {
			return err
		}
		db, found, err = openDatabase(path, migrations())
	}
	if err != nil {
		return err
	}
	if first := s.memory.Advance(found.last); first != 0 && first <= found.last {
		// The clock went back since the earlier process.
		if err := db.shift(found.last - first + 1); err != nil {
			db.close()
			return err
		}
	}
	s.db, s.floor, s.retryAt, s.written = db, 0, time.Time{}, found.stored
	s.tidied = time.Now()
	s.forgetAside()
	s.records.Store(int64(found.records))
	s.bytes.Store(found.bytes)
	s.health.history.Store(int64(found.history))
	s.memory.Inherit(found.ledger, found.queued)
	found.records += s.adopt(found.left)
	s.health.attaches(found.records)
	if found.records > 0 {
		s.memory.Wake()
	}
	s.nudge()
	return nil
}

// setAside renames the files of a damaged database. An earlier one that was set
// aside makes room for it.
func (s *Store) setAside(path string, cause error) error {
	now := time.Now()
	for _, suffix := range fileSuffixes() {
		aside := path + damagedSuffix + suffix
		err := os.Rename(path+suffix, aside)
		if errors.Is(err, fs.ErrNotExist) {
			err = os.Remove(aside)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("set damaged database aside: %w", err)
		}
		// Its age is counted from here. What cannot be touched goes the earlier.
		_ = os.Chtimes(aside, now, now)
	}
	s.health.setsAside(path+damagedSuffix, cause)
	return nil
}

// fileSuffixes are what the names of a database and its companions end in.
func fileSuffixes() []string { return []string{"", "-wal", "-shm"} }

// forgetAside deletes the files that were set aside for longer than a batch may
// wait. One that cannot be deleted is tried again with the next housekeeping.
func (s *Store) forgetAside() {
	path := filepath.Join(s.cfg.Dir, fileName+damagedSuffix)
	var bytes int64
	for _, suffix := range fileSuffixes() {
		info, err := os.Lstat(path + suffix)
		if err != nil || time.Since(info.ModTime()) <= s.cfg.MaxAge {
			continue
		}
		if os.Remove(path+suffix) == nil {
			bytes += info.Size()
		}
	}
	if bytes > 0 {
		s.health.forgetsAside(path, bytes)
	}
}

// fails notes that the disk could not be used. What is damaged is given up.
func (s *Store) fails(err error) {
	if s.db != nil && isDamage(err) {
		s.abandon(err)
		return
	}
	s.retryAt = time.Now().Add(s.cfg.Retry)
	s.health.fails(err)
	s.nudge()
}

// abandon gives up a database that is open, with what waits in it; the next
// attempt begins a new one.
func (s *Store) abandon(err error) {
	s.db.close()
	s.db = nil
	if len(s.claim.rows) > 0 {
		// It is being sent, and so is in memory.
		s.memory.Restore(s.claim.entry)
		s.claim.rows = nil
	}
	before := s.records.Load()
	s.memory.Forsake(outbox.Damaged)
	clear(s.changed)
	s.held.lose()
	s.adopted = false
	s.records.Store(0)
	s.bytes.Store(0)
	s.health.history.Store(0)
	s.health.loses(before, err)
	if errors.Is(err, errGone) {
		// The lock went with the file.
		s.lock.release()
		s.lock = nil
	}
	if isDamage(err) {
		if err := s.setAside(filepath.Join(s.cfg.Dir, fileName), err); err != nil {
			s.health.fails(err)
		}
	}
	s.retryAt = time.Now()
	s.nudge()
}

// loses notes records that went with a database.
func (h *health) loses(records int64, cause error) {
	h.logger.LogAttrs(h.context(), slog.LevelError, "database given up with records that waited",
		slog.Int64("records", records), slog.String("error", cause.Error()))
}
