package ssetap

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

func benchmarkDecoder(b *testing.B, stream string, size int) {
	b.Helper()
	chunks := cut(stream, size)
	d, events := &Decoder{}, 0
	yield := func(*Event) { events++ }
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		for _, chunk := range chunks {
			d.Write(chunk, yield)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
}

func BenchmarkDecoderDeltas(b *testing.B) {
	for _, size := range []int{32 << 10, 1400, 1} {
		b.Run(fmt.Sprintf("chunk=%d", size), func(b *testing.B) {
			benchmarkDecoder(b, deltas(1000), size)
		})
	}
}

func BenchmarkDecoderLargeEvent(b *testing.B) {
	for _, length := range []int{200_000, 2 << 20} {
		for _, size := range []int{32 << 10, 1400, 1} {
			b.Run(fmt.Sprintf("bytes=%d/chunk=%d", length, size), func(b *testing.B) {
				benchmarkDecoder(b, "data: "+strings.Repeat("x", length)+"\n\n", size)
			})
		}
	}
}

func BenchmarkDecoderPastLimit(b *testing.B) {
	d := &Decoder{MaxEventBytes: 64 << 10}
	chunks := cut("data: "+strings.Repeat("x", 2<<20)+"\n\n", 1400)
	yield := func(*Event) {}
	b.SetBytes(2 << 20)
	b.ReportAllocs()
	for b.Loop() {
		for _, chunk := range chunks {
			d.Write(chunk, yield)
		}
	}
}

// counter is a Sink that does next to nothing.
type counter struct{ events, ends int }

func (c *counter) Event(*Event) bool { c.events++; return false }
func (c *counter) End(End)           { c.ends++ }

// BenchmarkRead compares a body of one event a read, bare and with a tap.
func BenchmarkRead(b *testing.B) {
	event := []byte(deltas(1))
	stream := bytes.Repeat(event, 1000)
	buf := make([]byte, len(event))
	taps := map[string]func(io.ReadCloser) io.ReadCloser{
		"bare": func(body io.ReadCloser) io.ReadCloser { return body },
		"tap":  func(body io.ReadCloser) io.ReadCloser { return NewTap(body, &counter{}, Options{}) },
		"body": func(body io.ReadCloser) io.ReadCloser { return NewBodyTap(body, &counter{}, Options{}) },
	}
	for _, name := range []string{"bare", "tap", "body"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				body := taps[name](io.NopCloser(bytes.NewReader(stream)))
				for {
					if _, err := body.Read(buf); err != nil {
						break
					}
				}
				body.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000), "ns/read")
		})
	}
}

// BenchmarkTapEmpty is what a tap costs that sees nothing.
func BenchmarkTapEmpty(b *testing.B) {
	sink := &counter{}
	b.ReportAllocs()
	for b.Loop() {
		tap := NewTap(io.NopCloser(strings.NewReader("")), sink, Options{})
		tap.Close()
	}
}
