package store

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// InUseError tells that another process keeps its state in the directory.
type InUseError struct {
	Dir string
	PID int // 0 if it is not known
}

// Error implements error.
func (e *InUseError) Error() string {
	if e.PID == 0 {
		return "state directory " + e.Dir + " is in use by another process"
	}
	return fmt.Sprintf("state directory %s is in use by process %d", e.Dir, e.PID)
}

// lockName is the file whose lock is that of its directory.
const lockName = "lock"

// dirLock keeps other processes out of the directory. The system releases it
// when the process ends, however that happens.
type dirLock struct{ file *os.File }

// lockDir takes the lock of a directory. The error is an InUseError when another
// process has it.
func lockDir(dir string) (*dirLock, error) {
	path := filepath.Join(dir, lockName)
	f, err := openLocked(path)
	if err != nil && isTaken(err) {
		return nil, &InUseError{Dir: dir, PID: readPID(path)}
	}
	if err != nil {
		return nil, fmt.Errorf("lock state directory: %w", err)
	}
	// Whose it is helps people only.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return &dirLock{file: f}, nil
}

// readPID returns what the holder of a lock wrote into it, 0 if nothing.
func readPID(path string) int {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 0 {
		return 0
	}
	return pid
}

// release gives the lock back. The file stays: removing it would let two
// processes have the lock of two files.
func (l *dirLock) release() {
	if l != nil {
		_ = l.file.Close()
	}
}
