package coding

import (
	"errors"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

var errDictionary = errors.New("preset dictionary needed")

// layer undoes one coding. It can be used for one body after the other, whatever became of the one before.
type layer interface {
	io.Reader
	// open starts a body. Nothing is read before the first Read.
	open(r io.Reader)
	// close lets go of the reader of the body.
	close()
}

// link is a reader that can be exchanged, so that libraries need no reset to let go of it.
type link struct{ io.Reader }

// limited is a reader of at most left bytes.
type limited struct {
	reader io.Reader
	left   int64
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.reader.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// brotliExcess is the error of the library, which has no name, for bytes after the end. It comes without any, too, when
// the last bytes of the body are read one by one. All has been decoded then.
const brotliExcess = "brotli: excessive input"

// brotliLayer undoes br (RFC 7932). The library gives all that it can before it reads on. Its window is at most 16 MiB.
// What follows the end is ignored.
type brotliLayer struct {
	link   link
	reader *brotli.Reader
}

func newBrotli() layer {
	l := &brotliLayer{}
	l.reader = brotli.NewReader(&l.link)
	return l
}

func (l *brotliLayer) open(r io.Reader) {
	l.link.Reader = r
	_ = l.reader.Reset(&l.link) // it is documented not to fail
}

func (l *brotliLayer) Read(p []byte) (int, error) {
	n, err := l.reader.Read(p)
	if err != nil && err.Error() == brotliExcess {
		err = io.EOF
	}
	return n, err
}

func (l *brotliLayer) close() { l.link.Reader = nil }

// zstdLayer undoes zstd (RFC 8878). The library reads exactly what a block needs and gives the block before it goes on.
// It starts no goroutines when told to decode one block at a time.
type zstdLayer struct {
	link   link
	reader *zstd.Decoder
	err    error
}

func newZstd(maxWindow uint64) layer {
	l := &zstdLayer{}
	l.reader, l.err = zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(max(maxWindow, zstd.MinWindowSize)),
		// For the window of frames in a single segment.
		zstd.WithDecoderMaxMemory(max(maxWindow, zstd.MinWindowSize)),
	)
	return l
}

func (l *zstdLayer) open(r io.Reader) {
	l.link.Reader = r
	if l.reader != nil {
		l.err = l.reader.Reset(&l.link)
	}
}

func (l *zstdLayer) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	return l.reader.Read(p)
}

func (l *zstdLayer) close() { l.link.Reader = nil }
