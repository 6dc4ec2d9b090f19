package responsestest

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

const (
	// closeGrace is how long Close lets clients finish that have stopped reading
	// or writing before it cuts their connections.
	closeGrace = 2 * time.Second
	// defaultMaxRequests is how many requests are kept unless Options say
	// otherwise.
	defaultMaxRequests = 100_000
	// defaultMaxRecorded bounds the bodies of all kept requests together.
	defaultMaxRecorded = 1 << 30
)

// Options are the choices of [Start]. The zero value is a plain HTTP server on a
// free loopback port without a test.
type Options struct {
	// TB is told of failures and closes the server when it ends. Without it
	// failures are seen through [Server.Err] only.
	TB TB
	// Addr is the address to listen on; empty stands for 127.0.0.1:0.
	Addr string
	// TLS serves TLS with HTTP/1.1 and HTTP/2, with a certificate for the
	// loopback names from an authority of its own.
	TLS bool
	// WebSocket says whether upgrades to WebSocket are taken.
	WebSocket WebSocket
	// MaxBodyBytes is how much of each request body is kept; zero stands for
	// 64 MiB.
	MaxBodyBytes int64
	// MaxRecordedBytes bounds all kept bodies together; zero stands for 1 GiB.
	// Past it requests are recorded without their body, as truncated.
	MaxRecordedBytes int64
	// MaxRequests is how many requests are kept; zero stands for 100,000. Past it
	// they are answered and counted by [Server.Unrecorded].
	MaxRequests int
}

// Server is a mock of the Responses API. It speaks HTTP/1.1 and HTTP/2, without
// TLS by prior knowledge (h2c). All methods may be called from several
// goroutines at once.
type Server struct {
	// URL is the server's address without a path, such as "http://127.0.0.1:1234".
	URL string

	opts     Options
	http     *httptest.Server
	ca       *x509.Certificate
	ctx      context.Context // ends when Close begins
	stop     context.CancelCauseFunc
	handlers sync.WaitGroup
	closing  sync.Once

	mu        sync.Mutex
	mounts    []*Mount
	serial    int64
	kept      int
	keptBytes int64
	lost      int64
	calls     []*Request
	others    []*Request
	upgrades  []*Request
	arrived   chan struct{} // closed and replaced when calls grows
	failures  []error
	unsaid    int // failures past maxFailures
}

// NewServer starts a server that reports to tb and closes when tb ends. If it
// cannot listen it fails the test and returns a server without a URL.
func NewServer(tb TB) *Server {
	tb.Helper()
	return mustStart(Options{TB: tb})
}

// NewTLSServer is like NewServer with TLS; see [Server.CAPEM] and
// [Server.Client].
func NewTLSServer(tb TB) *Server {
	tb.Helper()
	return mustStart(Options{TB: tb, TLS: true})
}

func mustStart(opts Options) *Server {
	opts.TB.Helper()
	s, err := Start(opts)
	if err != nil {
		s = newServer(opts)
		s.http = httptest.NewUnstartedServer(http.NotFoundHandler())
		s.failf("start server: %v", err)
	}
	return s
}

// Start starts a server. The caller must close it unless the options name a TB,
// which then does.
func Start(opts Options) (*Server, error) {
	s := newServer(opts)
	listener, err := new(net.ListenConfig).Listen(s.ctx, "tcp", cmp.Or(opts.Addr, "127.0.0.1:0"))
	if err != nil {
		return nil, err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	s.http = &httptest.Server{Listener: listener, EnableHTTP2: opts.TLS, Config: &http.Server{
		Handler:           http.HandlerFunc(s.handle),
		Protocols:         protocols,
		ReadHeaderTimeout: 30 * time.Second,
		// A client that breaks off a handshake sees its own error.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}}
	if opts.TLS {
		ca, leaf, err := certificates(time.Now())
		if err != nil {
			listener.Close()
			return nil, err
		}
		s.ca = ca
		s.http.TLS = &tls.Config{
			Certificates: []tls.Certificate{leaf},
			NextProtos:   []string{"h2", "http/1.1"},
			MinVersion:   tls.VersionTLS12,
		}
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	s.URL = s.http.URL
	if opts.TB != nil {
		opts.TB.Cleanup(s.Close)
	}
	return s, nil
}

func newServer(opts Options) *Server {
	opts.MaxBodyBytes = cmp.Or(opts.MaxBodyBytes, defaultMaxBody)
	opts.MaxRecordedBytes = cmp.Or(opts.MaxRecordedBytes, defaultMaxRecorded)
	opts.MaxRequests = cmp.Or(opts.MaxRequests, defaultMaxRequests)
	s := &Server{opts: opts, arrived: make(chan struct{})}
	s.ctx, s.stop = context.WithCancelCause(context.Background())
	return s
}

// BaseURL returns the URL that a client of the API is configured with: URL and
// "/v1".
func (s *Server) BaseURL() string { return s.URL + "/v1" }

// Client returns an HTTP client that trusts the server's certificate. Its idle
// connections are closed with the server.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Close ends waiting streams, waits for every handler, and then reports the
// mounts that were not called as often as expected. It may be called more than
// once; a server with a TB is closed when that ends.
func (s *Server) Close() {
	s.closing.Do(func() {
		s.stop(ErrServerClosed)
		stuck := time.AfterFunc(closeGrace, s.http.CloseClientConnections)
		s.http.Close()
		s.handlers.Wait()
		stuck.Stop()
		s.verify()
	})
}

// Err returns every failure so far, joined, nil if there was none. Calls that
// were not made are known after Close.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := errors.Join(s.failures...)
	if s.unsaid > 0 {
		err = fmt.Errorf("%w\nand %d more", err, s.unsaid)
	}
	return err
}
