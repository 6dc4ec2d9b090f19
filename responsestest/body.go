package responsestest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

const (
	// defaultMaxBody is how much of a request body is kept unless Options say
	// otherwise.
	defaultMaxBody = 64 << 20
	// maxDecoded bounds a decoded body against decompression bombs.
	maxDecoded = 256 << 20
)

// readBody reads the body to its end, keeping at most limit bytes of it.
func (r *Request) readBody(body io.Reader, limit int64) {
	digest := sha256.New()
	all := io.TeeReader(body, digest)
	var kept bytes.Buffer
	n, err := io.Copy(&kept, io.LimitReader(all, limit))
	if err == nil {
		var rest int64
		rest, err = io.Copy(io.Discard, all)
		n += rest
	}
	r.Body = kept.Bytes()
	r.BodyBytes = n
	r.Truncated = n > int64(len(r.Body))
	r.BodyErr = err
	digest.Sum(r.BodySHA256[:0])
}

// decode undoes the content encodings, the last applied first. No step may
// yield more than limit bytes.
func decode(body []byte, headers []string, limit int64) ([]byte, error) {
	encodings := strings.Split(strings.Join(headers, ","), ",")
	for _, encoding := range slices.Backward(encodings) {
		var err error
		switch encoding = strings.ToLower(strings.TrimSpace(encoding)); encoding {
		case "", "identity":
		case "gzip", "x-gzip":
			body, err = gunzip(body, limit)
		case "zstd":
			body, err = unzstd(body, limit)
		default:
			err = fmt.Errorf("unknown encoding %q", encoding)
		}
		if err != nil {
			return nil, fmt.Errorf("decode body: %w", err)
		}
	}
	return body, nil
}

func gunzip(body []byte, limit int64) ([]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return readBounded(zr, limit)
}

func unzstd(body []byte, limit int64) ([]byte, error) {
	zr, err := zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer zr.Close()
	return readBounded(zr, limit)
}

func readBounded(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	return body, err
}
