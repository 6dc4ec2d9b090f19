package store

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	errDamaged = errors.New("the database is damaged")
	errGone    = errors.New("the database file is gone")
)

// code returns SQLite's primary result code, 0 for another error.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// isDamage reports whether an error tells that a file is no database any more.
func isDamage(err error) bool {
	c := code(err)
	return c == sqlite3.SQLITE_CORRUPT || c == sqlite3.SQLITE_NOTADB || errors.Is(err, errDamaged)
}

// Trouble names what an error of Sync tells, as Stats does; what took too long is
// a timeout.
func Trouble(err error) string {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return "timeout"
	}
	return reason(err)
}

// reason names what is in the way, the same every time.
func reason(err error) string {
	switch c := code(err); {
	case isDamage(err):
		return "damaged"
	case errors.Is(err, errForeign):
		return "foreign"
	case errors.Is(err, errNewer):
		return "newer_schema"
	case c == sqlite3.SQLITE_FULL, errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "disk_full"
	case c == sqlite3.SQLITE_READONLY, errors.Is(err, syscall.EROFS):
		return "read_only"
	case c == sqlite3.SQLITE_PERM, c == sqlite3.SQLITE_CANTOPEN, errors.Is(err, fs.ErrPermission):
		return "no_access"
	case c == sqlite3.SQLITE_BUSY, c == sqlite3.SQLITE_LOCKED:
		return "busy"
	}
	if _, ok := errors.AsType[*InUseError](err); ok {
		return "in_use"
	}
	return "io_error"
}
