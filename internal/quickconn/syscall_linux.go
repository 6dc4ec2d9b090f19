package quickconn

import (
	"syscall"
	"unsafe"
)

// rawRead reads from a socket that does not block, without telling the scheduler.
// The pointer is converted in the call itself, as package unsafe asks for.
func rawRead(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

// rawWrite writes to a socket that does not block, without telling the scheduler.
// The pointer is converted in the call itself, as package unsafe asks for.
func rawWrite(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}
