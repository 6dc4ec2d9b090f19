// Package quickconn makes the reads and writes of TCP connections cheaper where a process mostly waits: a sixth of what
// a proxy costs that passes on one small event after another.
//
// Go tells its scheduler of every system call, in case it blocks. If the process was idle a moment ago, that wakes the
// runtime's monitor thread, which looks around for a while, finds nothing to do, and sleeps again: two context switches
// and some system calls of its own for an event that needs three. A socket of the net package never blocks in a system
// call, so there is nothing to tell. [Wrap] makes the same calls without telling, and waits for the socket where the
// net package does, in the network poller. Deadlines, Close and errors are as they were.
//
// The monitor thread also takes the processor from goroutines that run for long. So that a busy process does not keep
// it asleep, one call in [heartbeat] is an ordinary one.
//
// It does this on Linux; elsewhere connections stay as they are.
package quickconn

// heartbeat is how many calls there are to one that is told. A processor that is busy with them, at 100,000 a second, wakes
// the monitor every 10 ms: that is how often it looks at a busy process anyway.
const heartbeat = 1024
