package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCodexTables loads [otel] tables as Codex's documentation and users have them, in the old and the new spelling.
func TestCodexTables(t *testing.T) {
	overHTTP := Exporter{HTTP: &OTLPHTTP{
		Endpoint: "https://otel.example.com/v1/logs", Protocol: ProtocolBinary,
		Headers: map[string]Secret{"x-otlp-api-key": "token"}, Compression: CompressionNone, Timeout: 10 * time.Second,
	}}
	overGRPC := Exporter{GRPC: &OTLPGRPC{
		Endpoint: "https://otel.example.com:4317", Headers: map[string]Secret{"x-otlp-meta": "abc123"},
		Compression: CompressionNone, Timeout: 10 * time.Second,
	}}
	tests := []struct {
		file string
		want Exporter
	}{
		{"none", Exporter{}},
		{"http-binary-multiline", overHTTP},
		{"http-binary-tables", overHTTP},
		{"http-json", Exporter{HTTP: &OTLPHTTP{
			Endpoint: "http://127.0.0.1:4318/v1/logs", Protocol: ProtocolJSON, Compression: CompressionNone, Timeout: 10 * time.Second,
		}}},
		{"grpc-multiline", overGRPC},
		{"grpc-inline", overGRPC},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			cfg, warnings := mustLoad(t, Options{File: "testdata/codex/" + test.file + ".toml", Env: []string{"OTLP_TOKEN=token"}})
			equal(t, cfg.OTel.Exporter, test.want)
			if len(warnings) != 0 {
				t.Errorf("warnings = %v; want none", warnings)
			}
		})
	}
}

func TestCodexKeysWithoutEffectWarn(t *testing.T) {
	cfg, warnings := mustLoad(t, Options{File: "testdata/codex/everything.toml"})
	want := []string{"otel.trace_exporter", "otel.metrics_exporter", "otel.span_attributes", "otel.tracestate"}
	if len(warnings) != len(want) {
		t.Fatalf("warnings = %v; want one for each of %v", warnings, want)
	}
	for i, w := range warnings {
		if w.Path != want[i] || !strings.Contains(w.Message, "no effect") {
			t.Errorf("warning %d = %v; want one for %s", i, w, want[i])
		}
	}
	if got := cfg.OTel.Exporter.GRPC; got == nil || got.Endpoint != "http://localhost:4317" {
		t.Errorf("exporter = %+v; want the gRPC one", got)
	}
}

func TestCodexTLSFiles(t *testing.T) {
	text, err := os.ReadFile("testdata/codex-tls.toml")
	if err != nil {
		t.Fatal(err)
	}
	file := document(t, "")
	dir := filepath.Dir(file)
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "DIR", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	certs := filepath.Join(dir, "certs")
	if err := os.Mkdir(certs, 0o700); err != nil {
		t.Fatal(err)
	}
	writePair(t, filepath.Join(certs, "otel-ca.pem"), filepath.Join(certs, "ca-key.pem"))
	writePair(t, filepath.Join(certs, "client.pem"), filepath.Join(certs, "client-key.pem"))
	opts := Options{File: file, Env: []string{"OTLP_TOKEN=token"}}

	cfg, _ := mustLoad(t, opts)
	equal(t, cfg.OTel.Exporter.HTTP.TLS, &TLS{
		CACertificate:     filepath.Join(certs, "otel-ca.pem"),
		ClientCertificate: filepath.Join(certs, "client.pem"),
		ClientPrivateKey:  filepath.Join(certs, "client-key.pem"),
	})

	const path = "otel.exporter.otlp-http.tls."
	swap := func(from, to string) {
		t.Helper()
		if err := os.Rename(filepath.Join(certs, from), filepath.Join(certs, to)); err != nil {
			t.Fatal(err)
		}
	}
	swap("ca-key.pem", "client-key.pem")
	_, _, err = Load(opts)
	wantProblems(t, err, path+"client-private-key: is no PEM key, or not the one of the client certificate")
	swap("client-key.pem", "otel-ca.pem")
	_, _, err = Load(opts)
	wantProblems(t, err,
		path+"ca-certificate: "+quoteLong(filepath.Join(certs, "otel-ca.pem"))+": holds no PEM certificate",
		path+"client-private-key: open file: no such file or directory")
}

func TestCertificateFiles(t *testing.T) {
	file := document(t, "upstream.ca_certificate = 'ca.pem'")
	dir := filepath.Dir(file)
	writePair(t, filepath.Join(dir, "ca.pem"), filepath.Join(dir, "key.pem"))
	t.Chdir(t.TempDir())

	cfg, _ := mustLoad(t, Options{File: file})
	if want := filepath.Join(dir, "ca.pem"); cfg.Upstream.CACertificate != want {
		t.Errorf("ca_certificate = %q; want %q, relative to the file", cfg.Upstream.CACertificate, want)
	}
	cfg, _ = mustLoad(t, Options{Env: []string{"HOME=" + dir, "CODEX_PROXY_UPSTREAM_CA_CERTIFICATE=~/ca.pem"}})
	if want := filepath.Join(dir, "ca.pem"); cfg.Upstream.CACertificate != want {
		t.Errorf("ca_certificate = %q; want %q, below HOME", cfg.Upstream.CACertificate, want)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = Load(Options{File: file, Overrides: map[string]string{"upstream.ca_certificate": "ca.pem"}})
	wantProblems(t, err, "upstream.ca_certificate: "+quoteLong(filepath.Join(here, "ca.pem"))+
		": open file: no such file or directory, set by the command line")
	_, _, err = Load(Options{Overrides: map[string]string{"upstream.ca_certificate": "/dev/null"}})
	wantProblems(t, err, "upstream.ca_certificate: /dev/null: is not a regular file, set by the command line")
	_, _, err = Load(Options{Env: []string{"DIR=" + dir, "CODEX_PROXY_UPSTREAM_CA_CERTIFICATE=${DIR}"}})
	wantProblems(t, err, "upstream.ca_certificate: ${DIR}: is a directory, want a file, set by CODEX_PROXY_UPSTREAM_CA_CERTIFICATE")
}

// TestHarmlessOddities covers what works, but probably not as meant.
func TestHarmlessOddities(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	writePair(t, ca, ca+".key")
	tests := []struct {
		text string
		want Problem
	}{
		{
			`exporter = { otlp-http = { endpoint = "http://h:4318", protocol = "json" } }`,
			Problem{Path: "otel.exporter.otlp-http.endpoint", Message: "has no path, and nothing appends one", Hint: "collectors usually take logs at /v1/logs"},
		},
		{
			`exporter = { otlp-grpc = { endpoint = "http://h:4317/v1/logs" } }`,
			Problem{Path: "otel.exporter.otlp-grpc.endpoint", Message: "has a path, which gRPC does not use"},
		},
		{
			`exporter = { otlp-grpc = { endpoint = "http://h:4317", tls = { ca-certificate = "` + ca + `" } } }`,
			Problem{Path: "otel.exporter.otlp-grpc.tls", Message: "has no effect, since the endpoint is http://"},
		},
		{
			`exporter = { otlp-grpc = { endpoint = "http://h:4317", headers = { Content-Type = "x" } } }`,
			Problem{Path: "otel.exporter.otlp-grpc.headers.Content-Type", Message: "is left out, the exporter sets it"},
		},
		{
			"[upstream]\nbase_url = 'http://h'\nca_certificate = '" + ca + "'",
			Problem{Path: "upstream.ca_certificate", Message: "has no effect, since upstream.base_url is http://"},
		},
	}
	for _, test := range tests {
		t.Run(test.want.Path, func(t *testing.T) {
			cfg, warnings := mustLoad(t, Options{File: document(t, "[otel]\n"+test.text)})
			equal(t, warnings, Warnings{test.want})
			if e := cfg.OTel.Exporter.GRPC; e != nil && len(e.Headers) != 0 {
				t.Errorf("headers = %v; want Content-Type left out", e.Headers)
			}
		})
	}
}

// writePair writes a fresh self-signed certificate and its key.
func writePair(t *testing.T, certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: signed},
		key:         {Type: "PRIVATE KEY", Bytes: encoded},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
