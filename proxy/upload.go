package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// upload is the agent's request body. It remembers whether the agent broke it
// off, which is nobody's failure but the agent's.
type upload struct {
	io.ReadCloser
	broken atomic.Bool
	// keep leaves the body to the server: after an upgrade the connection is
	// not HTTP's any more, and a client that waits for 100 Continue has sent
	// nothing that could be read to its end.
	keep bool
}

func newUpload(r *http.Request) *upload {
	return &upload{ReadCloser: r.Body, keep: r.Header.Get("Expect") != ""}
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		u.broken.Store(true)
	}
	return n, err
}

// finish reads what little may be left of a body that nobody read to its end.
// The server would do so too late where full duplex is enabled: it then starts
// to watch the connection for the client's hang-up while it waits there for the
// next request, and panics.
func (u *upload) finish() {
	if !u.keep {
		_ = u.Close()
	}
}
