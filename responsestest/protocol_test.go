package responsestest_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	rt "github.com/codex-proxy/codex-proxy/responsestest"
)

func h2cClient(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func TestProtocols(t *testing.T) {
	for _, tt := range []struct {
		name, proto string
		start       func(*testing.T) (*rt.Server, *http.Client)
	}{
		{"plain HTTP/1.1", "HTTP/1.1", func(t *testing.T) (*rt.Server, *http.Client) {
			t.Helper()
			srv := rt.NewServer(t)
			client := srv.Client()
			return srv, client
		}},
		{"h2c", "HTTP/2.0", func(t *testing.T) (*rt.Server, *http.Client) {
			t.Helper()
			return rt.NewServer(t), h2cClient(t)
		}},
		{"HTTP/2 over TLS", "HTTP/2.0", func(t *testing.T) (*rt.Server, *http.Client) {
			t.Helper()
			srv := rt.NewTLSServer(t)
			client := srv.Client()
			return srv, client
		}},
		{"HTTP/1.1 over TLS", "HTTP/1.1", func(t *testing.T) (*rt.Server, *http.Client) {
			t.Helper()
			srv := rt.NewTLSServer(t)
			pool := x509.NewCertPool()
			if !pool.AppendCertsFromPEM(srv.CAPEM()) {
				t.Fatal("CAPEM holds no certificate")
			}
			tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, Protocols: new(http.Protocols)}
			tr.Protocols.SetHTTP1(true)
			t.Cleanup(tr.CloseIdleConnections)
			return srv, &http.Client{Transport: tr}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv, client := tt.start(t)
			events := answer("r").Events
			srv.Sequence(
				answer("r"),
				rt.Response{Events: events[:1], Abort: rt.AbortStream},
				rt.Response{Events: events[:1], Abort: rt.AbortReset},
			)
			url := srv.BaseURL() + "/responses"
			got := exchange(t, client, http.MethodPost, url, "{}")
			if got.body != string(rt.SSE(events...)) || got.proto != tt.proto {
				t.Errorf("answer = %q over %s; want %q over %s", got.body, got.proto, rt.SSE(events...), tt.proto)
			}
			for _, what := range []string{"abort", "reset"} {
				resp := send(t, client, http.MethodPost, url, "{}")
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err == nil || !bytes.Equal(body, rt.SSE(events[0])) {
					t.Errorf("%s: body = %q, %v; want one event and an error", what, body, err)
				}
				var stream http2.StreamError
				if tt.proto == "HTTP/2.0" && !errors.As(err, &stream) && !strings.Contains(err.Error(), "stream error") {
					t.Errorf("%s: error = %v; want a stream error", what, err)
				}
			}
			for _, r := range srv.Requests() {
				if r.Proto != tt.proto {
					t.Errorf("recorded proto = %s; want %s", r.Proto, tt.proto)
				}
			}
		})
	}
}

func TestCertificate(t *testing.T) {
	srv := rt.NewTLSServer(t)
	if ca := srv.Certificate(); ca == nil || !ca.IsCA {
		t.Errorf("Certificate() = %v; want an authority", ca)
	}
	if srv := rt.NewServer(t); srv.Certificate() != nil || srv.CAPEM() != nil {
		t.Error("a server without TLS has a certificate")
	}
}

func TestServerThatCannotListen(t *testing.T) {
	first := rt.NewServer(t)
	if _, err := rt.Start(rt.Options{Addr: strings.TrimPrefix(first.URL, "http://")}); err == nil {
		t.Error("Start() on a taken port = nil error; want one")
	}
}
