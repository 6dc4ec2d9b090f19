//go:build unix && !linux

package main

import "golang.org/x/sys/unix"

// undumpable keeps what is in memory, credentials and prompts among it, out of core dumps.
func undumpable() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }
