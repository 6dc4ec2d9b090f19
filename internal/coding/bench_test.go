package coding

import (
	"fmt"
	"slices"
	"testing"
)

// wireBytes is what a proxy reads at a time.
const wireBytes = 16 << 10

func benchmarkDecoder(b *testing.B, coding string, chunks [][]byte, size int) {
	b.Helper()
	pool, values, got := &Pool{}, []string{coding}, 0
	yield := func(p []byte) { got += len(p) }
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		got = 0
		d := pool.Decoder(values)
		for _, chunk := range chunks {
			d.Write(chunk, yield)
		}
		d.Finish(yield)
		if got != size || d.Result().State != Done {
			b.Fatalf("decoded %d bytes, %+v; want %d", got, d.Result(), size)
		}
	}
}

func BenchmarkDecoderDocument(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20, 20 << 20} {
		body := document(size)
		for _, c := range codecs() {
			if c.name == "gzip" || c.name == "br" || c.name == "zstd" {
				b.Run(fmt.Sprintf("%s/bytes=%d", c.name, size), func(b *testing.B) {
					benchmarkDecoder(b, c.coding, slices.Collect(slices.Chunk(c.encoded(b, body), wireBytes)), size)
				})
			}
		}
	}
}

// BenchmarkDecoderEvents has a stream that is flushed after each event.
func BenchmarkDecoderEvents(b *testing.B) {
	pieces := events(1000)
	size := 0
	for _, piece := range pieces {
		size += len(piece)
	}
	for _, c := range codecs() {
		if c.name == "gzip" || c.name == "br" || c.name == "zstd" {
			b.Run(c.name, func(b *testing.B) {
				benchmarkDecoder(b, c.coding, c.chunks(b, pieces...), size)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(pieces)), "ns/event")
			})
		}
	}
}

// BenchmarkDecoderBomb is how long a bomb may take with the default bound.
func BenchmarkDecoderBomb(b *testing.B) {
	for _, c := range codecs() {
		if c.name == "gzip" || c.name == "br" || c.name == "zstd" {
			body := bomb(b, c, 512<<20)
			b.Run(c.name, func(b *testing.B) {
				pool := &Pool{}
				for b.Loop() {
					d := pool.Decoder([]string{c.coding})
					for chunk := range slices.Chunk(body, wireBytes) {
						d.Write(chunk, func([]byte) {})
					}
					d.Finish(func([]byte) {})
				}
			})
		}
	}
}
