package e2e_test

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// TestExportCompresses measures what goes over the wire, since the Collector does not tell how it came.
func TestExportCompresses(t *testing.T) {
	const size = 200_000
	lines := `{"event.name":"tool_result","conversation.id":"c1","tool_name":"shell","call_id":"call_1","success":true,"output":"` +
		strings.Repeat("a", size) + "\"}\n"
	for _, way := range ways() {
		for _, compression := range []string{"none", "gzip"} {
			t.Run(way.name+" "+compression, func(t *testing.T) {
				collector := receiver.Start(t, receiver.Options{})
				address := collector.HTTPAddr()
				path := "/v1/logs"
				if way.kind == "otlp-grpc" {
					address, path = collector.GRPCAddr(), ""
				}
				between := newRelay(t, address)
				p := serve(t, responsestest.NewServer(t).BaseURL(), way.table(collector, exporter{
					endpoint: "http://" + between.address + path, compression: compression,
				}))
				report(t, p, lines, `{"accepted":1,"rejected":0,"errors":[]}`)
				records := waitRecords(t, collector.Sink, 1)
				if output, ok := records[0].Attrs["output"].(string); !ok || len(output) != size {
					t.Errorf("output of %d bytes arrived; want %d", len(output), size)
				}
				p.stop()
				sent := between.sent.Load()
				if compressed := sent < size/10; compressed != (compression == "gzip") {
					t.Errorf("%d bytes went over the wire for an output of %d; compression is %s", sent, size, compression)
				}
			})
		}
	}
}

// relay stands before a server and counts what it is sent.
type relay struct {
	address string
	sent    atomic.Int64
}

// newRelay relays connections to a server until the test ends.
func newRelay(t *testing.T, server string) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	r := &relay{address: listener.Addr().String()}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go r.connect(client, server)
		}
	}()
	return r
}

func (r *relay) connect(client net.Conn, server string) {
	defer client.Close()
	upstream, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer upstream.Close()
	go func() {
		_, _ = io.Copy(client, upstream)
		client.Close()
	}()
	_, _ = io.Copy(io.MultiWriter(upstream, r), client)
}

// Write counts bytes.
func (r *relay) Write(b []byte) (int, error) {
	r.sent.Add(int64(len(b)))
	return len(b), nil
}
