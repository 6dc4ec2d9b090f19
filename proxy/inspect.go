package proxy

import "io"

// inspectedBody is a request body that is looked at after it was passed on: at
// the beginning of the next Read, when the transport has written what the Read
// before returned. The last bytes of a body of known length are looked at
// before, since the transport may not come back for its end.
type inspectedBody struct {
	io.ReadCloser
	look    func([]byte)
	left    int64 // bytes still to come, -1 when unknown
	pending []byte
	err     error
}

// Read implements io.Reader.
func (b *inspectedBody) Read(p []byte) (int, error) {
	b.flush()
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.ReadCloser.Read(p)
	b.pending = p[:n]
	if b.left >= 0 {
		b.left -= int64(n)
		if b.left <= 0 {
			b.flush()
		}
	}
	if n > 0 && err != nil {
		// The end is told when the last bytes were passed on and looked at.
		b.err, err = err, nil
	}
	return n, err
}

func (b *inspectedBody) flush() {
	if len(b.pending) > 0 {
		b.look(b.pending)
	}
	b.pending = nil
}
