//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// TestRapidResets asks and takes back at once (CVE-2023-44487), over one connection after the other.
func TestRapidResets(t *testing.T) {
	resets := 5_000
	if whole() {
		resets = 500_000
	}
	var live, most atomic.Int64
	release := make(chan struct{})
	upstream := serveUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.WriteString(w, `POST /v1/responses "{}"`)
			return
		}
		for n := live.Add(1); ; {
			if seen := most.Load(); n <= seen || most.CompareAndSwap(seen, n) {
				break
			}
		}
		defer live.Add(-1)
		select {
		case <-r.Context().Done():
		case <-release:
		}
	})
	p := startProxy(t, upstream+"/v1", "")
	checkServes(t, p.url)
	before := runtime.NumGoroutine()
	conns := 0
	for sent := 0; sent < resets; conns++ {
		sent += resetRapidly(t, p.url, resets-sent)
		checkServes(t, p.url)
	}
	close(release)
	settle(t, before)
	t.Logf("%d resets over %d connections; at most %d requests at a time at the upstream", resets, conns, most.Load())
	// Handlers that were told to stop may be behind by as many again.
	if limit := int64(2 * maxConcurrentStreams); most.Load() > limit {
		t.Errorf("%d requests at a time at the upstream; want at most %d", most.Load(), limit)
	}
	p.stop()
}

// resetRapidly sends requests with their cancellation until the server closes the connection, and returns how many it sent.
func resetRapidly(t *testing.T, url string, most int) int {
	t.Helper()
	conn := dialProxy(t, url)
	defer conn.Close()
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head)
	for _, field := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "127.0.0.1"}, {":path", "/v1/models"}} {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	_, _ = io.WriteString(conn, http2.ClientPreface)
	buffered := bufio.NewWriter(conn)
	framer := http2.NewFramer(buffered, conn)
	_ = framer.WriteSettings()
	ended := make(chan struct{})
	go func() { // what comes back fills no buffer
		_, _ = io.Copy(io.Discard, conn)
		close(ended)
	}()
	block := head.Bytes()
	for i := range most {
		id := uint32(2*i + 1)
		_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true, EndStream: true})
		if err := framer.WriteRSTStream(id, http2.ErrCodeCancel); err != nil {
			return i + 1
		}
	}
	_ = buffered.Flush()
	_ = conn.(*net.TCPConn).CloseWrite()
	<-ended
	return most
}
