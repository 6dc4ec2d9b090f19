package wstap

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

func benchmarkReader(b *testing.B, from Direction, opts Options, stream []byte, size int) {
	b.Helper()
	chunks := cut(stream, size)
	messages := 0
	r := NewReader(from, &funcSink{message: func(m *Message) {
		messages++
		if m.Cut == CutCorrupt {
			b.Fatal("corrupt")
		}
	}}, opts)
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		for _, chunk := range chunks {
			r.Write(chunk)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(messages), "ns/message")
}

func BenchmarkReaderDeltas(b *testing.B) {
	for _, compress := range []bool{false, true} {
		for _, from := range []Direction{FromServer, FromClient} {
			stream := traffic(b, from, compress, deltas(1000)...)
			for _, size := range []int{32 << 10, 1400, 1} {
				b.Run(fmt.Sprintf("from=%v/deflate=%t/chunk=%d", from, compress, size), func(b *testing.B) {
					benchmarkReader(b, from, deflated, stream, size)
				})
			}
		}
	}
}

// BenchmarkReaderNoTakeover has no window to keep, and BenchmarkReaderPool shares the decompressor.
func BenchmarkReaderNoTakeover(b *testing.B) {
	d := newDeflater(b, 6, false)
	var stream []byte
	for _, s := range deltas(1000) {
		stream = packed(d.message(s)).appendTo(stream)
	}
	benchmarkReader(b, FromServer, Options{Deflate: Deflate{Enabled: true, ServerNoContextTakeover: true}}, stream, 1400)
}

func BenchmarkReaderPool(b *testing.B) {
	opts := deflated
	opts.Pool = &Pool{}
	benchmarkReader(b, FromServer, opts, traffic(b, FromServer, true, deltas(1000)...), 1400)
}

func BenchmarkReaderLarge(b *testing.B) {
	body := strings.Join(deltas(12_000), "\n")[:2<<20]
	for _, compress := range []bool{false, true} {
		for _, from := range []Direction{FromServer, FromClient} {
			stream := traffic(b, from, compress, body)
			for _, size := range []int{4 << 20, 32 << 10} {
				b.Run(fmt.Sprintf("from=%v/deflate=%t/chunk=%d", from, compress, size), func(b *testing.B) {
					benchmarkReader(b, from, deflated, stream, size)
				})
			}
		}
	}
}

func BenchmarkReaderPastLimit(b *testing.B) {
	for _, from := range []Direction{FromServer, FromClient} {
		b.Run("from="+from.String(), func(b *testing.B) {
			stream := traffic(b, from, false, strings.Repeat("x", 2<<20))
			benchmarkReader(b, from, Options{MaxMessageBytes: 64 << 10}, stream, 32<<10)
		})
	}
}

// BenchmarkReaderBomb inflates up to the default bound and no further.
func BenchmarkReaderBomb(b *testing.B) {
	benchmarkReader(b, FromServer, deflated, frames(packed(bomb(b, 256<<20))), 32<<10)
}

func BenchmarkReaderLost(b *testing.B) {
	r := NewReader(FromServer, nil, Options{})
	r.Write([]byte("GET "))
	chunk := make([]byte, 32<<10)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		r.Write(chunk)
	}
}

func BenchmarkUnmask(b *testing.B) {
	for _, size := range []int{100, 32 << 10} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			src, dst := make([]byte, size+1)[1:], make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				unmask(dst, src, 0x3d21fa37)
			}
		})
	}
}

// endless is a connection from which the same bytes can be read for ever.
type endless struct{ b []byte }

func (e endless) Read(p []byte) (int, error)  { return copy(p, e.b), nil }
func (e endless) Write(p []byte) (int, error) { return len(p), nil }
func (e endless) Close() error                { return nil }

// BenchmarkTunnel compares a connection with one message a call, bare and with a Tunnel.
func BenchmarkTunnel(b *testing.B) {
	for _, compress := range []bool{false, true} {
		down, up := traffic(b, FromServer, compress, deltas(1)...), traffic(b, FromClient, compress, deltas(1)...)
		conn := endless{down}
		tunnels := []struct {
			name string
			conn io.ReadWriter
		}{
			{"bare", conn},
			{"tunnel", NewTunnel(conn, Sinks{Client: ignore{}, Server: ignore{}}, deflated)},
		}
		for _, c := range tunnels {
			b.Run(fmt.Sprintf("read/deflate=%t/%s", compress, c.name), func(b *testing.B) {
				buf := make([]byte, 32<<10)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.conn.Read(buf); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("write/deflate=%t/%s", compress, c.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.conn.Write(up); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkTunnelEmpty is what a tunnel costs that sees nothing.
func BenchmarkTunnelEmpty(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewTunnel(endless{}, Sinks{End: func(End) {}}, Options{}).Close()
	}
}
