package responsestest

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// player writes one Response to one client.
type player struct {
	ctx  context.Context // ends when the client leaves or the server closes
	w    http.ResponseWriter
	ctl  *http.ResponseController
	resp *Response
}

// play returns nil when the whole answer was written, ErrAborted when it broke
// off as asked, and another error when the client left or the server closed.
func (p *player) play(serial int64) error {
	if err := p.wait(p.resp.Delay, p.resp.Hold); err != nil {
		return err
	}
	if p.resp.Abort == AbortBeforeHeaders {
		return ErrAborted
	}
	p.header(serial)
	if err := p.body(); err != nil {
		return err
	}
	if p.resp.Abort != AbortNone {
		if err := p.ctl.Flush(); err != nil {
			return err
		}
		return p.abort()
	}
	for name, values := range p.resp.Trailer {
		p.w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	return nil
}

// header sends status and headers. They leave before the first event does.
func (p *player) header(serial int64) {
	h := p.w.Header()
	h.Set("Content-Type", "text/event-stream")
	setDefaultHeader(h, serial)
	for name, values := range p.resp.Header {
		name = http.CanonicalHeaderKey(name)
		if len(values) == 0 {
			h.Del(name)
			continue
		}
		h[name] = values
	}
	if p.resp.Encoding != "" {
		h.Set("Content-Encoding", p.resp.Encoding)
	}
	for name := range maps.Keys(p.resp.Trailer) {
		h.Add("Trailer", http.CanonicalHeaderKey(name))
	}
	if p.whole() && h.Get("Content-Length") == "" {
		h.Set("Content-Length", strconv.Itoa(len(p.resp.Body)))
	}
	p.w.WriteHeader(p.resp.status())
}

// setDefaultHeader sets what the API says of every request.
func setDefaultHeader(h http.Header, serial int64) {
	h.Set("Cf-Ray", fmt.Sprintf("%016x-TST", serial))
	h.Set("X-Request-Id", fmt.Sprintf("req_%032x", serial))
	h.Set("Openai-Processing-Ms", "12")
}

// whole reports whether the body is sent with a length rather than streamed.
func (p *player) whole() bool {
	r := p.resp
	return len(r.Events) == 0 && r.ChunkBytes <= 0 && r.Encoding == "" && len(r.Trailer) == 0 &&
		r.Abort == AbortNone && r.bodyAllowed() &&
		!strings.HasPrefix(p.w.Header().Get("Content-Type"), "text/event-stream")
}

func (p *player) body() error {
	if !p.resp.bodyAllowed() {
		return nil
	}
	out, err := encoder(p.resp.Encoding, p.w)
	if err != nil {
		return err
	}
	if len(p.resp.Events) > 0 {
		err = p.events(out)
	} else {
		err = p.chunks(out)
	}
	if err != nil || p.resp.Abort != AbortNone {
		return err
	}
	return out.Close()
}

func (p *player) events(out flushWriter) error {
	if err := p.ctl.Flush(); err != nil {
		return err
	}
	for i, e := range p.resp.Events {
		if i > 0 {
			if err := p.wait(p.resp.EventDelay, nil); err != nil {
				return err
			}
		}
		if e.gate != nil {
			e.gate.reach()
		}
		if err := p.wait(e.Delay, e.Hold); err != nil {
			return err
		}
		if err := p.write(out, e.AppendTo(nil)); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) chunks(out flushWriter) error {
	body, size := p.resp.Body, p.resp.ChunkBytes
	if size <= 0 {
		if p.whole() {
			_, err := out.Write(body)
			return err
		}
		size = max(len(body), 1)
	}
	for len(body) > 0 {
		n := min(size, len(body))
		if err := p.write(out, body[:n]); err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}

// write sends b at once.
func (p *player) write(out flushWriter, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if _, err := out.Write(b); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return p.ctl.Flush()
}

// wait waits for d and then for hold.
func (p *player) wait(d time.Duration, hold <-chan struct{}) error {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-p.ctx.Done():
			return context.Cause(p.ctx)
		}
	}
	if hold != nil {
		select {
		case <-hold:
		case <-p.ctx.Done():
			return context.Cause(p.ctx)
		}
	}
	return nil
}

// abort breaks the answer off. A connection that cannot be taken over, as on
// HTTP/2, is left to the server, which resets the stream.
func (p *player) abort() error {
	if p.resp.Abort != AbortReset {
		return ErrAborted
	}
	conn, _, err := p.ctl.Hijack()
	if err != nil {
		return ErrAborted
	}
	raw := conn
	if t, ok := conn.(*tls.Conn); ok {
		raw = t.NetConn()
	}
	if t, ok := raw.(*net.TCPConn); ok {
		// Without time to linger a close is a reset.
		err = t.SetLinger(0)
	}
	return errors.Join(ErrAborted, err, raw.Close())
}

// flushWriter is a body encoder that can be made to hand out what it holds.
type flushWriter interface {
	io.WriteCloser
	Flush() error
}

func encoder(encoding string, w io.Writer) (flushWriter, error) {
	switch encoding {
	case "gzip":
		return gzip.NewWriter(w), nil
	case "zstd":
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	}
	return identity{w}, nil
}

type identity struct{ io.Writer }

func (identity) Flush() error { return nil }
func (identity) Close() error { return nil }
