package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// upload is the agent's request body. It remembers whether the agent broke it
// off, which is nobody's failure but the agent's.
type upload struct {
	io.ReadCloser
	broken  atomic.Bool
	ended   atomic.Bool // read to its end
	damaged atomic.Bool // what follows on the connection is not the next request
	// keep leaves the body to the server: after an upgrade the connection is
	// not HTTP's any more, and a client that waits for 100 Continue has sent
	// nothing that could be read to its end.
	keep bool

	// An agent that sends nothing for patience, while the upstream waits for it
	// with an answer, is given up. 0 waits forever.
	patience time.Duration
	control  *http.ResponseController
	waiting  *time.Timer // runs during a Read, which one goroutine does at a time
	answered atomic.Bool
	stalled  atomic.Bool
}

func newUpload(w http.ResponseWriter, r *http.Request, patience time.Duration) *upload {
	u := &upload{
		ReadCloser: r.Body, keep: r.Header.Get("Expect") != "",
		patience: patience, control: http.NewResponseController(w),
	}
	u.ended.Store(r.Body == http.NoBody)
	if patience > 0 && r.Body != http.NoBody {
		// Whoever let the request in may have limited the body as a whole.
		_ = u.control.SetReadDeadline(time.Time{})
	}
	return u
}

// stall ends a Read that waits too long.
func (u *upload) stall() {
	if !u.answered.Load() {
		u.stalled.Store(true)
		_ = u.control.SetReadDeadline(time.Unix(1, 0))
	}
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	if u.patience > 0 && !u.answered.Load() {
		if u.waiting == nil {
			u.waiting = time.AfterFunc(u.patience, u.stall)
		} else {
			u.waiting.Reset(u.patience)
		}
		defer u.waiting.Stop()
	}
	n, err := u.ReadCloser.Read(p)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		u.ended.Store(true)
	default:
		u.broken.Store(true)
		if !errors.Is(err, http.ErrBodyReadAfterClose) {
			u.damaged.Store(true)
		}
	}
	return n, err
}

// Close implements io.Closer. The server's body is read on here, so far as it is little.
func (u *upload) Close() error {
	err := u.ReadCloser.Close()
	if err != nil {
		u.damaged.Store(true)
	}
	return err
}

// finish sends what is left of the response, and then reads what little may be left of a body that nobody read to its end.
// The server would do so too late where full duplex is enabled: it then starts
// to watch the connection for the client's hang-up while it waits there for the
// next request, and panics. Nor does it notice there that a body's framing is damaged: what is left of such a body must
// not be taken for the next request, so that the connection is broken off.
func (u *upload) finish(r *http.Request) {
	if u.ended.Load() {
		return
	}
	if !u.keep {
		// The agent may wait for the answer before it sends more.
		_ = u.control.Flush()
		if u.patience > 0 {
			_ = u.control.SetReadDeadline(time.Now().Add(u.patience))
		}
		_ = u.Close()
	}
	if u.damaged.Load() && r.ProtoMajor == 1 {
		_ = u.control.Flush()
		panic(http.ErrAbortHandler)
	}
}
