package wstap

import "time"

// EndedBy tells who ended a tunnel.
type EndedBy uint8

const (
	// EndedByClosed is a tunnel whose owner closed it or its writing side, without a close frame from either side. In the
	// hands of httputil.ReverseProxy that is a client that is gone, or a proxy that shuts down.
	EndedByClosed EndedBy = iota
	// EndedByClient is a tunnel in which the client sent the first close frame.
	EndedByClient
	// EndedByServer is a tunnel in which the server sent the first close frame.
	EndedByServer
	// EndedByReadError is a tunnel that the server broke off without a close frame: End.Err is io.EOF or worse.
	EndedByReadError
	// EndedByWriteError is a tunnel that took no more from the client, without a close frame.
	EndedByWriteError
)

// String returns "closed", "client", "server", "read_error" or "write_error".
func (e EndedBy) String() string {
	switch e {
	case EndedByClosed:
		return "closed"
	case EndedByClient:
		return "client"
	case EndedByServer:
		return "server"
	case EndedByReadError:
		return "read_error"
	case EndedByWriteError:
		return "write_error"
	default:
		return "unknown"
	}
}

// End says how a tunnel ended and what had come until then.
type End struct {
	// By is who ended it.
	By EndedBy
	// Err is the first error of Read or Write before Close, also if a close frame had come: after that, io.EOF is usual.
	Err error
	// ClientEOF reports that the client hung up: CloseWrite was called before there was an error.
	ClientEOF bool
	// Client and Server are what came from either side.
	Client, Server Stats
	// At is when Close was called.
	At time.Time
	// Panics is how many panics were contained before End.
	Panics int64
}
