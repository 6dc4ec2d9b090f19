package store

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// maxPayload bounds what a damaged row may claim to inflate to. The largest
// batch is one record of a few capped attributes.
const maxPayload = 64 << 20

// codec compresses payloads. zstd's checksum tells damage.
type codec struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

func newCodec() (*codec, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("set up compression: %w", err)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPayload))
	if err != nil {
		return nil, fmt.Errorf("set up compression: %w", err)
	}
	return &codec{encoder: encoder, decoder: decoder}, nil
}

func (c *codec) compress(payload []byte) []byte { return c.encoder.EncodeAll(payload, nil) }

// expand reports false when the stored bytes are not what compress made of a
// payload, which has some bytes.
func (c *codec) expand(stored []byte) (payload []byte, ok bool) {
	payload, err := c.decoder.DecodeAll(stored, nil)
	return payload, err == nil && len(payload) > 0
}

func (c *codec) close() {
	_ = c.encoder.Close() // Nothing is buffered.
	c.decoder.Close()
}
