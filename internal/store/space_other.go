//go:build !linux && !darwin && !freebsd

package store

// freeBytes returns that it is not known.
func freeBytes(string) int64 { return -1 }
