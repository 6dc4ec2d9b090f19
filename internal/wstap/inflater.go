package wstap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// deflateEnd is added to the payload of a complete message: the end of an empty block that senders leave out (RFC 7692
// §7.2.2), and an empty last block, upon which inflating ends cleanly rather than for want of input.
const deflateEnd = "\x00\x00\xff\xff" + "\x01\x00\x00\xff\xff"

// maxLastBlocks is how often a message may end the stream of blocks within itself (RFC 7692 §7.2.3.4). Each time the
// window is copied, so that many of them would make a small message dear.
const maxLastBlocks = 256

var (
	errRoom       = errors.New("message inflates too far")
	errLastBlocks = errors.New("too many last blocks")
)

// Pool holds decompressors that no message is using. Readers that share one hold no decompressor while they are idle,
// which is most of the time and saves some 40 KiB each. The zero value is ready to use, by any number of goroutines.
type Pool struct {
	free sync.Pool
}

func (p *Pool) get() *inflater {
	if p != nil {
		if f, ok := p.free.Get().(*inflater); ok {
			return f
		}
	}
	return newInflater()
}

func (p *Pool) put(f *inflater) {
	p.free.Put(f)
}

// inflater decompresses one message at a time.
type inflater struct {
	flate interface {
		io.WriterTo
		flate.Resetter
	}
	in    bytes.Reader
	out   clip
	limit int   // of what is kept
	room  int64 // bytes that may still come out
	saved int64 // bytes of out that the window has
}

func newInflater() *inflater {
	f := &inflater{}
	f.flate = flate.NewReader(&f.in).(interface { //nolint:forcetypeassert // both are documented
		io.WriterTo
		flate.Resetter
	})
	return f
}

// inflate decompresses a payload that may refer to what is in the window. What of it is not complete or not understood
// ends with an error; out has what came before that.
func (f *inflater) inflate(packed []byte, w *window) error {
	f.in.Reset(packed)
	for range maxLastBlocks {
		if err := f.flate.Reset(&f.in, w.latest()); err != nil {
			return fmt.Errorf("reset inflater: %w", err)
		}
		if _, err := f.flate.WriteTo(f); err != nil {
			return fmt.Errorf("inflate message: %w", err)
		}
		// Here a last block ended: that of deflateEnd, or one of the message itself. It may go on after that.
		if f.in.Len() == 0 || f.in.Len() == len(deflateEnd) {
			return nil
		}
		f.save(w)
	}
	return errLastBlocks
}

// Write takes what was decompressed, as far as there is room.
func (f *inflater) Write(b []byte) (int, error) {
	n := int(min(int64(len(b)), f.room))
	f.room -= int64(n)
	f.out.write(b[:n], 0, f.limit)
	if n < len(b) {
		return n, errRoom
	}
	return n, nil
}

// save brings the window up to date.
func (f *inflater) save(w *window) {
	b := f.out.latest()
	fresh := min(f.out.size-f.saved, int64(len(b)))
	w.write(b[len(b)-int(fresh):])
	f.saved = f.out.size
}

// reset ends a message.
func (f *inflater) reset() {
	f.in.Reset(nil)
	f.out.reset()
	f.saved = 0
}
