package coding

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// Flags of a gzip member (RFC 1952 §2.3.1).
const (
	flagHeaderSum = 1 << 1
	flagExtra     = 1 << 2
	flagName      = 1 << 3
	flagComment   = 1 << 4
	flagsReserved = 0xe0
)

var errGzipHeader = errors.New("not a gzip header")

// gzipLayer undoes gzip (RFC 1952), of one or more members. What follows a member without being one is ignored, as gzip(1)
// and browsers do.
type gzipLayer struct {
	inflater
	stage   stage
	members int
	sum     uint32 // of the header, then of the data
	size    uint32
	scratch [10]byte
}

func newGzip() layer { return &gzipLayer{inflater: newInflater()} }

func (l *gzipLayer) open(r io.Reader) {
	l.in.Reset(r)
	l.stage, l.members = stageHeader, 0
}

func (l *gzipLayer) close() { l.in.Reset(nil) }

func (l *gzipLayer) Read(p []byte) (int, error) {
	for {
		switch l.stage {
		case stageHeader:
			if err := l.header(); err != nil {
				return 0, err
			}
			l.stage, l.sum, l.size = stageData, 0, 0
		case stageData:
			n, err := l.deflate.Read(p)
			l.sum = crc32.Update(l.sum, crc32.IEEETable, p[:n])
			l.size += uint32(n) //nolint:gosec // the size is kept modulo 2^32
			if err == io.EOF {
				l.stage, err = stageTrailer, nil
			}
			if n > 0 || err != nil {
				return n, err
			}
		default:
			if err := l.trailer(); err != nil {
				return 0, err
			}
			l.stage = stageHeader
			l.members++
		}
	}
}

// header reads up to the data. It returns io.EOF if there is no further member.
func (l *gzipLayer) header() error {
	magic, err := l.in.Peek(2)
	if len(magic) < 2 {
		if l.members == 0 || string(magic) == "\x1f" {
			err = unexpected(err)
		}
		return err
	}
	if string(magic) != "\x1f\x8b" {
		if l.members > 0 {
			return io.EOF
		}
		return errGzipHeader
	}
	l.sum = 0
	fixed := l.scratch[:10]
	if err := l.take(fixed); err != nil {
		return err
	}
	flags := fixed[3]
	if fixed[2] != 8 || flags&flagsReserved != 0 {
		return errGzipHeader
	}
	if err := l.options(flags); err != nil {
		return err
	}
	return l.start()
}

// options skips the optional parts of a header.
func (l *gzipLayer) options(flags byte) error {
	if flags&flagExtra != 0 {
		if err := l.take(l.scratch[:2]); err != nil {
			return err
		}
		if err := l.skip(int(binary.LittleEndian.Uint16(l.scratch[:]))); err != nil {
			return err
		}
	}
	for _, flag := range []byte{flagName, flagComment} {
		if flags&flag != 0 {
			if err := l.skipString(); err != nil {
				return err
			}
		}
	}
	if flags&flagHeaderSum != 0 {
		want := uint16(l.sum) //nolint:gosec // the header has the lower half
		if err := l.take(l.scratch[:2]); err != nil {
			return err
		}
		if binary.LittleEndian.Uint16(l.scratch[:]) != want {
			return errChecksum
		}
	}
	return nil
}

// take reads all of p as part of a header.
func (l *gzipLayer) take(p []byte) error {
	err := l.full(p)
	l.sum = crc32.Update(l.sum, crc32.IEEETable, p)
	return err
}

// skip passes over n bytes of a header.
func (l *gzipLayer) skip(n int) error {
	for n > 0 {
		part := l.scratch[:min(n, len(l.scratch))]
		if err := l.take(part); err != nil {
			return err
		}
		n -= len(part)
	}
	return nil
}

// skipString passes over a string that ends with a zero byte.
func (l *gzipLayer) skipString() error {
	for {
		part, err := l.in.ReadSlice(0)
		l.sum = crc32.Update(l.sum, crc32.IEEETable, part)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return unexpected(err)
		}
	}
}

// trailer compares the checksum and the length of a member.
func (l *gzipLayer) trailer() error {
	b := l.scratch[:8]
	if err := l.full(b); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(b) != l.sum || binary.LittleEndian.Uint32(b[4:]) != l.size {
		return errChecksum
	}
	return nil
}
