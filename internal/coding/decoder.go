// Package coding undoes the content codings of HTTP (RFC 9110 §8.4.1) on bytes that belong to somebody else: gzip,
// deflate, br and zstd, alone or one over the other.
//
// A [Decoder] is pushed the bytes of a body as they pass, and gives the decoded ones before the call returns. It never
// blocks, fails or asks for more; what became of the body is in its [Result].
package coding

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/klauspost/compress/zstd"
)

var (
	errPanic    = errors.New("panic of the receiver")
	errTooLarge = errors.New("more decoded bytes than allowed")
)

// Decoder decodes one body. A [Pool] makes it. It must not be used by two goroutines at once, nor by the function it
// calls; Finish must be called at last, or it leaks. Goroutines locked to a thread cannot share one.
//
// Decoded bytes are given as soon as the encoded ones determine them, as far as the coding is read in blocks: br to the
// byte; zstd when a block is complete; gzip and deflate when 32 KiB are, at an empty stored block, and at the end. All of them
// give what was written before a flush of the sender (Z_SYNC_FLUSH, Z_FULL_FLUSH, ZSTD_e_flush,
// BROTLI_OPERATION_FLUSH) as soon as the last byte of the flush is there.
//
// The libraries below pull their input. They run in a coroutine that pauses where input is missing, so there is neither
// a goroutine to schedule nor a channel.
type Decoder struct {
	pool     *Pool
	list     list
	result   Result
	finished bool // Finish was called

	// The coroutine, from the first byte to the final state.
	next   func() (struct{}, bool)
	stop   func()
	source source
	layers [MaxCodings]layer // the innermost, which reads the source, first
	buffer *[bufferBytes]byte
	given  int // buffer[given:filled] is decoded and not given yet
	filled int
}

// Result returns what became of the body so far. It is final after Finish.
func (d *Decoder) Result() Result { return d.result }

// Write takes the next bytes of the body, and calls yield with those they decode to, in pieces of no particular size.
// Neither p nor what yield gets is kept. If yield panics, the Decoder lets go of everything and is Broken.
func (d *Decoder) Write(p []byte, yield func(decoded []byte)) {
	if d.finished || len(p) == 0 {
		return
	}
	d.result.Encoded += int64(len(p))
	switch {
	case d.result.State != Open:
	case d.list.n == 0:
		d.result.Decoded += int64(len(p))
		yield(p)
	default:
		if d.next == nil {
			d.begin()
		}
		d.source.in = p
		d.advance(yield)
	}
}

// Finish ends the body, calls yield with what is left, and lets go of everything. Further calls do nothing. A body
// without any bytes is Done, whatever its codings.
func (d *Decoder) Finish(yield func(decoded []byte)) {
	if d.finished {
		return
	}
	d.finished = true
	switch {
	case d.result.State != Open:
	case d.next == nil:
		d.conclude(Done, nil)
	default:
		d.source.eof = true
		d.advance(yield)
	}
}

// begin makes the coroutine.
func (d *Decoder) begin() {
	d.buffer = d.pool.buffer()
	d.next, d.stop = iter.Pull(d.run)
}

// advance lets the coroutine run until it needs more bytes than it was given, or is over.
func (d *Decoder) advance(yield func([]byte)) {
	returned := false
	defer func() {
		d.source.in = nil
		if !returned {
			d.stop()
			d.conclude(Broken, errPanic)
		}
		if d.result.State != Open {
			d.release()
		}
	}()
	for {
		_, more := d.next()
		if piece := d.buffer[d.given:d.filled:d.filled]; len(piece) > 0 {
			d.given = d.filled
			d.result.Decoded += int64(len(piece))
			yield(piece)
		}
		if !more || d.source.hungry {
			break
		}
	}
	returned = true
}

// run is the coroutine: it reads the body, as if it came by itself.
func (d *Decoder) run(pause func(struct{}) bool) {
	defer func() {
		if v := recover(); v != nil {
			d.conclude(Broken, fmt.Errorf("panic of the decoder: %T", v))
		}
	}()
	d.source.pause = pause
	reader := d.open()
	for idle := 0; ; {
		if d.given == d.filled {
			d.given, d.filled = 0, 0
		}
		if d.filled == bufferBytes {
			if !pause(struct{}{}) {
				return
			}
			continue
		}
		n, err := reader.Read(d.buffer[d.filled:])
		if d.source.stopped {
			return
		}
		if left := d.pool.maxBytes() - d.result.Decoded - int64(d.filled-d.given); int64(n) > left {
			n, err = int(left), errTooLarge
		}
		d.filled += n
		if idle++; n > 0 {
			idle = 0
		}
		if idle > maxIdle {
			err = io.ErrNoProgress
		}
		if err != nil {
			d.judge(err)
			return
		}
	}
}

// maxIdle is how many Reads in a row may give nothing.
const maxIdle = 100

// open stacks the readers: the coding applied last is undone first.
func (d *Decoder) open() io.Reader {
	var reader io.Reader = &d.source
	for i := range d.list.n {
		if i > 0 {
			reader = &limited{reader: reader, left: d.pool.maxBytes()}
		}
		d.layers[i] = d.pool.layer(d.list.kinds[d.list.n-1-i])
		d.layers[i].open(reader)
		reader = d.layers[i]
	}
	return reader
}

// judge concludes from the error that ended the reading.
func (d *Decoder) judge(err error) {
	switch {
	case err == io.EOF: //nolint:errorlint // readers give it as it is
		d.conclude(Done, nil)
	case errors.Is(err, errTooLarge), errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		d.conclude(TooLarge, err)
	case errors.Is(err, errDictionary), errors.Is(err, zstd.ErrUnknownDictionary):
		d.conclude(Unsupported, err)
	case d.source.ended:
		// Some readers say of damaged bytes that they end too early, so it must have been tried to read on.
		d.conclude(Truncated, err)
	default:
		d.conclude(Malformed, err)
	}
}

func (d *Decoder) conclude(state State, err error) {
	d.result.State, d.result.Err = state, err
}

// release gives back the memory, unless a panic left it in disorder.
func (d *Decoder) release() {
	d.pool.buffers.Put(d.buffer)
	d.buffer, d.given, d.filled = nil, 0, 0
	d.source.pause = nil
	if d.result.State != Broken {
		for i := range d.list.n {
			d.layers[i].close()
			d.pool.layers[d.list.kinds[d.list.n-1-i]].Put(d.layers[i])
		}
	}
	d.layers = [MaxCodings]layer{}
}
