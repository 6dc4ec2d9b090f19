package coding

import "sync"

const (
	// DefaultMaxBytes is how many decoded bytes a Decoder gives unless told otherwise: 128 MiB, twice what the longest
	// streams and the largest requests have. They are not kept anywhere; the bound is on the time that a bomb can take.
	DefaultMaxBytes = 128 << 20
	// DefaultMaxWindowBytes is the largest window of zstd unless told otherwise: 8 MiB, what RFC 9659 demands of
	// decoders of this content coding and allows them to refuse beyond.
	DefaultMaxWindowBytes = 8 << 20
)

// bufferBytes is how many decoded bytes are given at a time, at most.
const bufferBytes = 32 << 10

// Pool makes Decoders and keeps the memory of those that have finished for the next ones. The zero value is ready to
// use. It is safe for concurrent use, and must not be copied.
type Pool struct {
	// MaxBytes is how many decoded bytes a Decoder gives, 0 for DefaultMaxBytes. Where there are several codings, it
	// bounds what comes out of each.
	MaxBytes int64
	// MaxWindowBytes is how much memory a zstd body may ask for, 0 for DefaultMaxWindowBytes, at least 1 KiB. The other
	// codings have bounds of their own: 32 KiB for gzip and deflate, 16 MiB for br.
	MaxWindowBytes uint64

	layers  [kinds]sync.Pool
	buffers sync.Pool
}

// Decoder returns a Decoder of a body with the given values of Content-Encoding. It costs little until the first Write.
func (p *Pool) Decoder(contentEncoding []string) *Decoder {
	d := &Decoder{pool: p}
	var err error
	if d.list, err = parse(contentEncoding); err != nil {
		d.conclude(Unsupported, err)
	}
	return d
}

func (p *Pool) maxBytes() int64 {
	if p.MaxBytes <= 0 {
		return DefaultMaxBytes
	}
	return p.MaxBytes
}

func (p *Pool) layer(k kind) layer {
	if l, ok := p.layers[k].Get().(layer); ok {
		return l
	}
	switch k {
	case kindGzip:
		return newGzip()
	case kindDeflate:
		return newDeflate()
	case kindBrotli:
		return newBrotli()
	default:
		window := p.MaxWindowBytes
		if window == 0 {
			window = DefaultMaxWindowBytes
		}
		return newZstd(window)
	}
}

func (p *Pool) buffer() *[bufferBytes]byte {
	if b, ok := p.buffers.Get().(*[bufferBytes]byte); ok {
		return b
	}
	return new([bufferBytes]byte)
}
