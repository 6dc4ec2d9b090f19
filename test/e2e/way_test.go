package e2e_test

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// way is a way out of the proxy: an exporter of the table [otel].
type way struct {
	name        string
	kind        string // otlp-http or otlp-grpc
	protocol    string // binary or json; otlp-http only
	contentType string // what the collector is sent
}

// ways returns the ways out.
func ways() []way {
	return []way{
		{"http binary", "otlp-http", "binary", "application/x-protobuf"},
		{"http json", "otlp-http", "json", "application/json"},
		{"grpc", "otlp-grpc", "", "application/grpc+proto"},
	}
}

// exporter is what an exporter may have beside its way. The zero value is a plain one.
type exporter struct {
	headers     map[string]string
	caFile      string
	compression string
	timeout     string
	endpoint    string // in place of the receiver's
}

// table returns the table [otel] that exports to r this way. Further keys of the table may follow it.
func (w way) table(r *receiver.Receiver, e exporter) string {
	endpoint := e.endpoint
	switch {
	case endpoint != "":
	case w.kind == "otlp-grpc":
		endpoint = r.GRPCEndpoint()
	default:
		endpoint = r.HTTPEndpoint()
	}
	keys := []string{"endpoint = " + strconv.Quote(endpoint)}
	if w.protocol != "" {
		keys = append(keys, "protocol = "+strconv.Quote(w.protocol))
	}
	if len(e.headers) > 0 {
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(e.headers)) {
			pairs = append(pairs, strconv.Quote(name)+" = "+strconv.Quote(e.headers[name]))
		}
		keys = append(keys, "headers = { "+strings.Join(pairs, ", ")+" }")
	}
	if e.caFile != "" {
		keys = append(keys, "tls = { ca-certificate = "+strconv.Quote(e.caFile)+" }")
	}
	keys = append(keys,
		"compression = "+strconv.Quote(cmp.Or(e.compression, "none")),
		"timeout = "+strconv.Quote(cmp.Or(e.timeout, "10s")),
	)
	return "[otel]\nenvironment = \"staging\"\nexporter = { " + w.kind + " = { " + strings.Join(keys, ", ") + " } }\n"
}
