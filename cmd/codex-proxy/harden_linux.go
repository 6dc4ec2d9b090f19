package main

import (
	"errors"

	"golang.org/x/sys/unix"
)

// undumpable keeps what is in memory, credentials and prompts among it, out of core dumps. Without PR_SET_DUMPABLE a dump that core_pattern pipes to a program would be made
// whatever the limit says, and anything the user runs could read the memory through /proc or ptrace.
func undumpable() error {
	return errors.Join(
		unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}),
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0),
	)
}
