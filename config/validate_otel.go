package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// exporter checks the tables of [otel] exporter.
func (v *validator) exporter() {
	if e := v.cfg.OTel.Exporter.HTTP; e != nil {
		const path = "otel.exporter.otlp-http"
		v.endpoint(path, e.Endpoint, e.TLS, false)
		v.headers(path+".headers", e.Headers, false)
		v.tls(path+".tls", e.TLS)
	}
	if e := v.cfg.OTel.Exporter.GRPC; e != nil {
		const path = "otel.exporter.otlp-grpc"
		v.endpoint(path, e.Endpoint, e.TLS, true)
		v.headers(path+".headers", e.Headers, true)
		v.tls(path+".tls", e.TLS)
	}
}

func (v *validator) endpoint(path, endpoint string, files *TLS, grpc bool) {
	if endpoint == "" {
		return // reported as missing or wrong already
	}
	u := v.url(path+".endpoint", endpoint)
	if u == nil {
		return
	}
	if u.User != nil {
		v.report.problem(path+".endpoint", "contains credentials", "send them in headers, as authorization")
	}
	rooted := strings.Trim(u.Path, "/") == ""
	switch {
	case grpc && !rooted:
		v.report.warn(path+".endpoint", "has a path, which gRPC does not use", "")
	case !grpc && rooted:
		v.report.warn(path+".endpoint", "has no path, and nothing appends one", "collectors usually take logs at /v1/logs")
	}
	if u.Scheme == "http" && files != nil && *files != (TLS{}) {
		v.report.warn(path+".tls", "has no effect, since the endpoint is http://", "")
	}
	v.notSelf(path+".endpoint", u)
}

// connectionHeaders belong to the connection or the message, and cannot be set.
func connectionHeaders() []string {
	return []string{
		"connection", "content-length", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
	}
}

// headers checks names and values. What describes the body is the exporter's to say: Codex's tables may contain it,
// so it is left out with a warning. Names that cannot be sent are not shown, they may be a value in the wrong place.
func (v *validator) headers(path string, headers map[string]Secret, grpc bool) {
	names := slices.Sorted(maps.Keys(headers))
	for i, name := range names {
		value := headers[name].Reveal()
		lower := strings.ToLower(name)
		switch {
		case grpc && !isMetadataName(lower), !httpguts.ValidHeaderFieldName(name):
			v.report.problem(path, fmt.Sprintf("name %d of %d in alphabetical order is no header name", i+1, len(names)), "use letters, digits and - _ .")
		case slices.Contains(connectionHeaders(), lower), grpc && strings.HasPrefix(lower, "grpc-"):
			v.report.problem(join(path, name), "cannot be set, it belongs to the connection", "")
		case lower == "content-type", lower == "content-encoding", grpc && lower == "user-agent":
			v.report.warn(join(path, name), "is left out, the exporter sets it", "")
			delete(headers, name)
		case grpc && !strings.HasSuffix(lower, "-bin") && !isPrintable(value):
			v.report.problem(join(path, name), "has a value gRPC cannot send: metadata is printable ASCII", "")
		case !httpguts.ValidHeaderFieldValue(value):
			v.report.problem(join(path, name), "has a value no header can have", "look for a line break at its end")
		}
	}
}

// isMetadataName reports whether a lower-case name fits gRPC metadata.
func isMetadataName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

func isPrintable(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// tls checks that the files are there and are what they should be.
func (v *validator) tls(path string, files *TLS) {
	if files == nil {
		return
	}
	v.certificates(path+".ca-certificate", files.CACertificate)
	switch {
	case files.ClientCertificate != "" && files.ClientPrivateKey == "":
		v.report.problem(path+".client-private-key", "is missing: a client certificate needs its key", "")
	case files.ClientCertificate == "" && files.ClientPrivateKey != "":
		v.report.problem(path+".client-certificate", "is missing: a private key needs its certificate", "")
	case files.ClientCertificate != "":
		v.keyPair(path, files)
	}
}

func (v *validator) keyPair(path string, files *TLS) {
	certificate := v.certificates(path+".client-certificate", files.ClientCertificate)
	key, err := readBounded(files.ClientPrivateKey, true)
	if err != nil {
		v.report.problem(path+".client-private-key", err.Error(), "")
		return
	}
	if certificate == nil {
		return
	}
	if _, err := tls.X509KeyPair(certificate, key); err != nil {
		v.report.problem(path+".client-private-key", "is no PEM key, or not the one of the client certificate", "")
	}
}

// certificates returns the content of a PEM file with at least one certificate, nil for "" and after a problem.
func (v *validator) certificates(path, name string) []byte {
	if name == "" {
		return nil
	}
	content, err := readBounded(name, true)
	if err != nil {
		v.report.problem(path, v.fileName(path, name)+err.Error(), "")
		return nil
	}
	if !x509.NewCertPool().AppendCertsFromPEM(content) {
		v.report.problem(path, v.fileName(path, name)+"holds no PEM certificate", "")
		return nil
	}
	return content
}

// fileName names a file in a message: as configured where a variable is in it, for that may be anything.
func (v *validator) fileName(path, name string) string {
	if written, ok := v.cfg.written[path]; ok {
		name = written.Reveal()
	}
	return quoteLong(name) + ": "
}
