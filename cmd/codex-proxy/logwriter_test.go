package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stuck is a writer that takes nothing until it is told to.
type stuck struct {
	open    chan struct{}
	written strings.Builder
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.open
	return s.written.Write(p)
}

func TestLogWriterNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stuck{open: make(chan struct{})}
		w := &logWriter{next: out}
		write := func(line string) {
			if n, err := io.WriteString(w, line); n != len(line) || err != nil {
				t.Errorf("Write() = %d, %v; want %d", n, err, len(line))
			}
		}
		write("first\n")
		synctest.Wait() // The first line is being written.
		big := strings.Repeat("x", maxUnwritten/4-1) + "\n"
		for range 6 {
			write(big)
		}
		began := time.Now()
		w.flush()
		if took := time.Since(began); took != logPatience {
			t.Errorf("flush() of a log that nobody reads took %v; want %v", took, logPatience)
		}
		close(out.open)
		w.flush()
		want := "first\n" + strings.Repeat(big, 4) + "codex-proxy: 2 lines of the log are left out here, since nobody read it\n"
		if got := out.written.String(); got != want {
			t.Errorf("written %d bytes, ending in %q; want the four lines there is room for, and that two are left out", len(got), got[max(0, len(got)-90):])
		}
	})
}

// TestUnreadLogHoldsUpNothing has a log that nobody reads and an upstream that is away, about which there is something to log
// with each request.
func TestUnreadLogHoldsUpNothing(t *testing.T) {
	t.Setenv("CODEX_PROXY_STORE_DIR", "memory")
	out := &stuck{open: make(chan struct{})}
	defer close(out.open)
	ctx, cancel := context.WithCancel(context.Background())
	addrs, code := make(chan net.Addr, 1), make(chan int, 1)
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: out, onListen: func(addr net.Addr) { addrs <- addr }}
	file := writeConfig(t, "")
	go func() {
		code <- a.run(ctx, []string{"serve", "--config", file, "--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:1/v1"})
	}()
	defer cancel()
	var url string
	select {
	case addr := <-addrs:
		url = fmt.Sprintf("http://%s/v1/responses", addr)
	case <-time.After(10 * time.Second):
		t.Fatal("the proxy does not listen")
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	for range 3 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"model":"m"}`))
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatalf("Do() = %v; want an answer although nobody reads the log", err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusBadGateway {
			t.Errorf("status = %d; want 502", res.StatusCode)
		}
	}
	cancel()
	select {
	case got := <-code:
		if got != 0 {
			t.Errorf("exit code = %d; want 0", got)
		}
	case <-time.After(10 * time.Second):
		t.Error("the proxy does not exit; want it to give up on its log")
	}
}
