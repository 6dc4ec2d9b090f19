package proxy

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// restored are the headers that ReverseProxy takes out of a rewritten request.
// An agent, or a gateway in front of us, that sent them meant them.
var restored = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}

// rewrite turns the agent's request into the upstream's, adding nothing.
func (e *exchange) rewrite(pr *httputil.ProxyRequest) {
	in, out := pr.In, pr.Out
	base := e.base()
	out.URL = target(base, in.URL)
	if raw, ok := rawPath(in); ok && e.h.cfg.OutboundProxy == nil {
		// Go would escape what the agent did not. Only an outbound proxy needs
		// the URL in its parts.
		path, below := belowV1(raw)
		if below {
			path = strings.TrimSuffix(base.EscapedPath(), "/") + path
		}
		// What begins with two slashes would be taken for a host.
		if strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") {
			out.URL.Opaque = path
		}
	}
	out.Host = ""
	for _, name := range restored {
		if values, ok := in.Header[name]; ok {
			out.Header[name] = values
		}
	}
	keepUpgrade(in, out.Header)
	if e.h.cfg.ForwardedFor {
		pr.SetXForwarded()
	}
	// The server fills in the trailers when it has read the body; the clone
	// would never see them.
	out.Trailer = in.Trailer
	if out.Body != nil && e.watches() {
		e.inspect(out)
	}
}

// inspect puts a look at what passes into the body of a request.
func (e *exchange) inspect(out *http.Request) {
	defer e.contain()
	e.h.at("rewrite")
	out.Body = e.inspected(out.Body, e.in.ContentLength)
}

// base returns the base URL of the upstream that a request is for.
func (e *exchange) base() *url.URL {
	if e.h.cfg.ChatGPTBaseURL != nil && e.in.Header.Get("Chatgpt-Account-Id") != "" {
		return e.h.cfg.ChatGPTBaseURL
	}
	return e.h.cfg.BaseURL
}

// target maps a request's URL: /v1/... below the base URL, anything else to the
// same host as it is. The query string is kept to the byte.
func target(base, in *url.URL) *url.URL {
	out := *base
	out.RawQuery, out.ForceQuery, out.Fragment = in.RawQuery, in.ForceQuery, ""
	path, escaped := in.Path, in.EscapedPath()
	if rest, ok := belowV1(escaped); ok {
		plain, _ := belowV1(path)
		path = strings.TrimSuffix(base.Path, "/") + plain
		escaped = strings.TrimSuffix(base.EscapedPath(), "/") + rest
	}
	out.Path, out.RawPath = path, escaped
	return &out
}

// rawPath returns the path of a request as it was sent, and whether Go would
// write it otherwise.
func rawPath(in *http.Request) (string, bool) {
	raw, _, _ := strings.Cut(in.RequestURI, "?")
	return raw, strings.HasPrefix(raw, "/") && raw != in.URL.EscapedPath()
}

// belowV1 returns what follows /v1 in a path, and whether anything may.
func belowV1(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, "/v1")
	if !ok || rest != "" && rest[0] != '/' {
		return path, false
	}
	return rest, true
}
