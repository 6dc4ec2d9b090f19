//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// TestRapidResets asks and takes back at once (CVE-2023-44487), over one connection after the other.
func TestRapidResets(t *testing.T) {
	resets := 20_000
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
	resetRapidly(t, p.url, 1000)
	checkServes(t, p.url) // What is made once is made.
	goroutines, before := runtime.NumGoroutine(), heap()
	conns := 0
	for sent := 0; sent < resets; conns++ {
		sent += resetRapidly(t, p.url, resets-sent)
		checkServes(t, p.url)
	}
	for end := time.Now().Add(30 * time.Second); live.Load() > 0; runtime.Gosched() {
		if time.Now().After(end) {
			t.Errorf("%d requests that were taken back go on at the upstream", live.Load())
			break
		}
	}
	close(release)
	settle(t, goroutines)
	checkLeft(t, before, 0)
	t.Logf("%d resets over %d connections; at most %d requests at a time at the upstream", resets, conns, most.Load())
	// Handlers that were told to stop may be behind by as many again.
	if limit := int64(2 * maxConcurrentStreams); most.Load() > limit {
		t.Errorf("%d requests at a time at the upstream; want at most %d", most.Load(), limit)
	}
	p.stop()
}

// TestConcurrentStreams opens more streams at a time than a connection may have.
func TestConcurrentStreams(t *testing.T) {
	const beyond = 10
	var arrived atomic.Int64
	release := make(chan struct{})
	let := sync.OnceFunc(func() { close(release) })
	upstream := serveUpstream(t, func(http.ResponseWriter, *http.Request) {
		arrived.Add(1)
		<-release
	})
	t.Cleanup(let) // The upstream ends only then.
	p := startProxy(t, upstream+"/v1", "")
	conn := dialProxy(t, p.url)
	_, _ = io.WriteString(conn, http2.ClientPreface)
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	block := modelsRequest()
	for i := range maxConcurrentStreams + beyond {
		if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*i + 1), BlockFragment: block, EndHeaders: true, EndStream: true}); err != nil {
			t.Fatal(err)
		}
	}
	told := false
	for refused := 0; refused < beyond; {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatalf("%d streams were refused, then %v; want %d", refused, err, beyond)
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if most, ok := frame.Value(http2.SettingMaxConcurrentStreams); ok {
				told = true
				if most != maxConcurrentStreams {
					t.Errorf("%d streams are allowed; want %d", most, maxConcurrentStreams)
				}
			}
		case *http2.RSTStreamFrame:
			refused++
			if frame.StreamID <= 2*maxConcurrentStreams {
				t.Errorf("stream %d is refused: %v; want only those beyond", frame.StreamID, frame.ErrCode)
			}
		}
	}
	if !told {
		t.Error("no number of streams is told")
	}
	let()
	_ = conn.Close()
	p.stop()
	if got := arrived.Load(); got > maxConcurrentStreams {
		t.Errorf("%d requests arrived at the upstream; want at most %d", got, maxConcurrentStreams)
	}
}

// modelsRequest returns the fields of a request, encoded for any number of them.
func modelsRequest() []byte {
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head)
	encoder.SetMaxDynamicTableSize(0)
	for _, field := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "127.0.0.1"}, {":path", "/v1/models"}, {"thread-id", "thread-1"}} {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	return head.Bytes()
}

// resetRapidly sends requests with their cancellation until the server closes the connection, and returns how many it sent.
func resetRapidly(t *testing.T, url string, most int) int {
	t.Helper()
	conn := dialProxy(t, url)
	defer conn.Close()
	_, _ = io.WriteString(conn, http2.ClientPreface)
	buffered := bufio.NewWriter(conn)
	framer := http2.NewFramer(buffered, conn)
	_ = framer.WriteSettings()
	ended := make(chan struct{})
	go func() { // what comes back fills no buffer
		_, _ = io.Copy(io.Discard, conn)
		close(ended)
	}()
	block := modelsRequest()
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
