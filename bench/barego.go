package main

import (
	"context"
	"flag"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// bareGoCommand is the least a Go reverse proxy does: httputil.ReverseProxy with a flush after every write.
//
// Without -full-duplex it now and then cuts a stream short. An HTTP/1 server closes the request body when the answer
// begins, which may be just before the transport reads that body's end; the transport then takes the request for failed
// and closes the upstream connection (golang/go#40747).
func bareGoCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("barego", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:9101", "address to listen on")
	to := flags.String("to", "http://127.0.0.1:9100", "upstream URL")
	certificate := flags.String("ca", "", "file with the certificate of an https upstream")
	duplex := flags.Bool("full-duplex", false, "let the server read the request while it answers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	target, err := url.Parse(*to)
	if err != nil {
		return err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true}
	if target.Scheme == "https" {
		if transport.TLSClientConfig, err = trusting(*certificate); err != nil {
			return err
		}
		transport.ForceAttemptHTTP2 = true
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1,
		Transport:     transport,
	}
	return serve(ctx, *listen, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if *duplex {
			_ = http.NewResponseController(w).EnableFullDuplex()
		}
		proxy.ServeHTTP(w, r)
	}))
}
