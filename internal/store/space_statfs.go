//go:build linux || darwin || freebsd

package store

import "syscall"

// freeBytes returns how much may be written to the file system of a directory, -1
// if it is not known.
func freeBytes(dir string) int64 {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return -1
	}
	return int64(s.Bavail) * int64(s.Bsize) //nolint:unconvert,gosec // The types differ from system to system.
}
