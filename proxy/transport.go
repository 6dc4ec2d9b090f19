package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/quickconn"
)

// errLoop says that the upstream's address is one this process listens on.
var errLoop = errors.New("the upstream is this proxy itself; set upstream.base_url to the model provider")

// NewTransport returns the transport that a Handler of cfg has to the upstream.
// Time-outs guard the way to a response, never the response itself.
func NewTransport(cfg Config) *http.Transport {
	dialer := &net.Dialer{Timeout: cfg.DialTimeout, KeepAlive: 30 * time.Second}
	transport := &http.Transport{
		// Bytes pass as they are: the transport must not ask for gzip by itself.
		DisableCompression:    true,
		ForceAttemptHTTP2:     true,
		TLSClientConfig:       &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   cfg.TLSHandshakeTimeout,
		ResponseHeaderTimeout: cfg.ResponseHeaderTimeout,
		IdleConnTimeout:       cfg.IdleConnTimeout,
		ExpectContinueTimeout: time.Second,
		MaxIdleConns:          1024,
		MaxIdleConnsPerHost:   256,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout: 30 * time.Second,
			PingTimeout:     15 * time.Second,
		},
	}
	if cfg.OutboundProxy != nil {
		transport.Proxy = http.ProxyURL(cfg.OutboundProxy)
	}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if cfg.IsSelf != nil && cfg.IsSelf(conn.RemoteAddr()) {
			_ = conn.Close()
			return nil, errLoop
		}
		return quickconn.Wrap(conn), nil
	}
	return transport
}
