// Package fidelity shows whether a proxy leaves what passes through it as it is:
// an [Origin] answers with random streams that follow from a seed, and a
// [Comparison] asks for each of them directly and through the proxy, and wants
// the same status, header values, trailers and bytes. It is for tests.
package fidelity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Comparison compares what two base URLs answer. The zero value of a field means
// its default.
type Comparison struct {
	// Direct is the URL of the origin, Proxied that of the proxy in front of it.
	Direct, Proxied string
	// Seed makes the streams: the same seed makes the same ones.
	Seed uint64
	// Streams is how many are compared; 0 means 100.
	Streams int
	// Workers is how many are compared at a time; 0 means 8.
	Workers int
}

// Result is what a Comparison did.
type Result struct {
	Streams int
	Bytes   int64 // of the bodies as they came directly
	Largest int64
}

// Run compares the streams, and returns the first difference as an error that
// names the seed and the number of the stream.
func (c Comparison) Run(ctx context.Context) (Result, error) {
	if c.Streams <= 0 {
		c.Streams = 100
	}
	if c.Workers <= 0 {
		c.Workers = 8
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: c.Workers}
	defer transport.CloseIdleConnections()
	var next, bytes, largest atomic.Int64
	var workers sync.WaitGroup
	for range c.Workers {
		workers.Go(func() {
			for ctx.Err() == nil {
				n := next.Add(1) - 1
				if n >= int64(c.Streams) {
					return
				}
				size, err := c.compare(ctx, transport, int(n))
				if err != nil {
					cancel(fmt.Errorf("stream %d of seed %d: %w", n, c.Seed, err))
					return
				}
				bytes.Add(size)
				for old := largest.Load(); size > old && !largest.CompareAndSwap(old, size); old = largest.Load() {
				}
			}
		})
	}
	workers.Wait()
	return Result{Streams: c.Streams, Bytes: bytes.Load(), Largest: largest.Load()}, context.Cause(ctx)
}

// compare asks for one stream both ways.
func (c Comparison) compare(ctx context.Context, transport *http.Transport, n int) (int64, error) {
	direct, err := c.ask(ctx, transport, c.Direct, n)
	if err != nil {
		return 0, fmt.Errorf("directly: %w", err)
	}
	proxied, err := c.ask(ctx, transport, c.Proxied, n)
	if err != nil {
		return 0, fmt.Errorf("through the proxy: %w", err)
	}
	if diff := cmp.Diff(direct, proxied); diff != "" {
		return 0, fmt.Errorf("answers differ (-direct +proxied):\n%s", diff)
	}
	return direct.Bytes, nil
}

// answer is all that a client can tell of a response.
type answer struct {
	Status           string
	Proto            string
	Header, Trailer  http.Header
	ContentLength    int64
	TransferEncoding []string
	Bytes            int64
	SHA256           string
}

// askTimeout bounds one request; a stream that stands still is a difference, too.
const askTimeout = 30 * time.Second

// ask sends request n of the seed and reads the answer.
func (c Comparison) ask(ctx context.Context, transport *http.Transport, base string, n int) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	request, err := newRequest(ctx, base, c.Seed, n)
	if err != nil {
		return answer{}, err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return answer{}, fmt.Errorf("send request: %w", err)
	}
	defer response.Body.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("read response after %d bytes: %w", size, err)
	}
	return answer{
		Status: response.Status, Proto: response.Proto, Header: response.Header, Trailer: response.Trailer,
		ContentLength: response.ContentLength, TransferEncoding: response.TransferEncoding,
		Bytes: size, SHA256: hex.EncodeToString(sum.Sum(nil)),
	}, nil
}

// source returns the random numbers of a stream. Salt keeps those of its request
// and its response apart.
func source(seed uint64, n int, salt uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(n)<<8|salt)) //nolint:gosec // For tests, which must be repeatable; n is not negative.
}
