package ssetap

import (
	"io"
	"sync"
	"time"
)

// watcher is what a tap does with the bytes that wire shows it. Calls never overlap.
type watcher interface {
	// chunk sees bytes that were passed on, and when they had come. They are valid during the call.
	chunk(b []byte, at time.Time)
	// end is called once, after the last chunk. What wire knows of the end is filled in.
	end(e *End)
}

// wire reads a body for somebody and shows it to a watcher afterwards.
type wire struct {
	body  io.ReadCloser
	watch watcher
	now   func() time.Time
	// decoder turns the bytes into those that watch sees, nil if they are the same.
	decoder *decoder

	closing  sync.Once
	closeErr error

	mu       sync.Mutex // guards what follows; never held while the body is read or closed
	passedOn []byte     // the bytes of the last Read, in the caller's buffer, not seen by the watcher yet
	at       time.Time  // when they came
	held     error      // came along with them, for the next Read
	err      error      // the outcome of the last read of the body
	bytes    int64
	closed   bool
}

// read shows the watcher what the previous call returned, which has been passed on by now, and reads on.
func (w *wire) read(p []byte) (int, error) {
	if err := w.resume(); err != nil {
		return 0, err
	}
	n, err := w.body.Read(p)
	if n <= 0 && err == nil {
		return n, nil
	}
	return n, w.note(p, n, err)
}

// resume is the part of read before the body is read. It returns the error that the previous call held back.
func (w *wire) resume() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.observe()
	err := w.held
	w.held = nil
	return err
}

// note is the part of read after the body was read. It returns the error to give to the caller: none with bytes, so
// that the caller passes them on and comes back, whatever it does about errors.
func (w *wire) note(p []byte, n int, err error) error {
	var at time.Time
	if n > 0 {
		at = w.now()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		// Closed while the body was being read: the end was told, and the buffer is no longer lent.
		return err
	}
	w.err = err
	if n <= 0 {
		return err
	}
	w.passedOn = p[:min(n, len(p))]
	w.at = at
	w.bytes += int64(n)
	w.held = err
	return nil
}

// observe shows the watcher the bytes passed on, if there are any.
func (w *wire) observe() {
	if w.passedOn == nil {
		return
	}
	b := w.passedOn
	w.passedOn = nil
	if w.decoder != nil {
		w.decoder.write(b)
		return
	}
	w.watch.chunk(b, w.at)
}

// close ends the observation and closes the body. Only the first call does anything; all return the body's answer.
func (w *wire) close() error {
	w.closing.Do(func() {
		end := w.conclude()
		// A body whose Close panics has ended, too.
		defer w.watch.end(&end)
		w.closeErr = w.body.Close()
	})
	return w.closeErr
}

// conclude shows the watcher the last bytes and sums up.
func (w *wire) conclude() End {
	end := End{At: w.now()}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.observe()
	if w.decoder != nil {
		w.decoder.finish()
	}
	w.closed = true
	end.setError(w.err)
	end.Bytes = w.bytes
	return end
}
