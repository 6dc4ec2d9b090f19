package coding

import (
	"bufio"
	"errors"
	"hash"
	"hash/adler32"
	"io"

	"github.com/klauspost/compress/flate"
)

var errChecksum = errors.New("checksum or length does not match")

// inflater reads DEFLATE data (RFC 1951) with something before and after it. The readers of whole formats that the library
// has hold the last bytes back until the checksum has come.
type inflater struct {
	in      *bufio.Reader
	deflate io.ReadCloser
}

func newInflater() inflater {
	in := bufio.NewReader(nil)
	return inflater{in: in, deflate: flate.NewReader(in)}
}

// start begins another stream of DEFLATE data at the next byte.
func (f *inflater) start() error {
	resetter, ok := f.deflate.(flate.Resetter)
	if !ok {
		return errors.ErrUnsupported
	}
	return resetter.Reset(f.in, nil)
}

// full reads all of p.
func (f *inflater) full(p []byte) error {
	_, err := io.ReadFull(f.in, p)
	return unexpected(err)
}

// unexpected turns an end into one that comes too early.
func unexpected(err error) error {
	if err == io.EOF { //nolint:errorlint // readers give it as it is
		return io.ErrUnexpectedEOF
	}
	return err
}

// deflateLayer undoes deflate: the zlib format (RFC 1950), or bare DEFLATE data, which some servers send and all browsers
// accept. What follows the end is ignored, as browsers do.
type deflateLayer struct {
	inflater
	stage stage
	sum   hash.Hash32 // nil in bare data
	adler hash.Hash32 // what sum is otherwise
}

// stage is what comes next.
type stage uint8

const (
	stageHeader stage = iota
	stageData
	stageTrailer
	stageEnd
)

func newDeflate() layer {
	return &deflateLayer{inflater: newInflater(), adler: adler32.New()}
}

func (l *deflateLayer) open(r io.Reader) {
	l.in.Reset(r)
	l.stage = stageHeader
}

func (l *deflateLayer) close() { l.in.Reset(nil) }

func (l *deflateLayer) Read(p []byte) (int, error) {
	for {
		switch l.stage {
		case stageHeader:
			if err := l.header(); err != nil {
				return 0, err
			}
			l.stage = stageData
		case stageData:
			n, err := l.deflate.Read(p)
			if l.sum != nil {
				l.sum.Write(p[:n])
			}
			if err == io.EOF {
				l.stage, err = stageTrailer, nil
			}
			if n > 0 || err != nil {
				return n, err
			}
		case stageTrailer:
			if err := l.trailer(); err != nil {
				return 0, err
			}
			l.stage = stageEnd
		default:
			return 0, io.EOF
		}
	}
}

// header tells the two formats apart. A zlib header would be a stored block with garbage in its padding.
func (l *deflateLayer) header() error {
	l.sum = nil
	if b, err := l.in.Peek(2); err == nil && b[0]&0x8f == 8 && (int(b[0])<<8|int(b[1]))%31 == 0 {
		if b[1]&0x20 != 0 {
			return errDictionary
		}
		l.sum = l.adler
		l.sum.Reset()
		if _, err = l.in.Discard(2); err != nil {
			return err
		}
	}
	return l.start()
}

func (l *deflateLayer) trailer() error {
	if l.sum == nil {
		return nil
	}
	var b [4]byte
	if err := l.full(b[:]); err != nil {
		return err
	}
	if l.sum.Sum32() != uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3]) {
		return errChecksum
	}
	return nil
}
