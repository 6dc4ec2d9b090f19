package codexcli

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// fence is an HTTP proxy that lets nobody through and remembers who was asked for. The CLI is told to use it for everything
// but loopback.
type fence struct {
	listener net.Listener
	server   *http.Server
	done     chan struct{}

	mu        sync.Mutex
	contacted []string
}

func newFence(ctx context.Context) (*fence, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &fence{listener: listener, done: make(chan struct{})}
	f.server = &http.Server{
		Handler:           f,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	go func() {
		defer close(f.done)
		_ = f.server.Serve(listener) // ends with Close, and has nothing else to tell
	}()
	return f, nil
}

// ServeHTTP refuses a request for r.Host, be it CONNECT or plain.
func (f *fence) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	if !slices.Contains(f.contacted, r.Host) {
		f.contacted = append(f.contacted, r.Host)
	}
	f.mu.Unlock()
	http.Error(w, "the test keeps the network out", http.StatusForbidden)
}

// URL is what the proxy variables of the environment are set to.
func (f *fence) URL() string { return "http://" + f.listener.Addr().String() }

// Contacted returns the hosts that were asked for, in the order of their first request.
func (f *fence) Contacted() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.contacted)
}

// Close ends the proxy and its connections.
func (f *fence) Close() {
	_ = f.server.Close()
	<-f.done
}
