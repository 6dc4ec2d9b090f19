package config

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// validator checks what a value means, after each one is known to have the right type and range.
type validator struct {
	cfg    *Config
	report *report
}

func (v *validator) validate() {
	v.listen()
	v.guard()
	v.upstream()
	v.exporter()
	v.content()
	v.store()
}

func (v *validator) store() {
	if v.cfg.Store.History && v.cfg.Store.InMemory() {
		v.report.warn("store.history", "has no effect, since store.dir keeps everything in memory", "")
	}
}

func (v *validator) listen() {
	const hint = `write host:port, such as "127.0.0.1:8787"`
	host, port, err := net.SplitHostPort(v.cfg.Listen)
	if err != nil {
		v.report.problem("listen", "is not host:port", hint)
		return
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		v.report.problem("listen", "has no port between 0 and 65535", hint)
	}
	if strings.ContainsAny(host, "/@ \t\r\n") {
		v.report.problem("listen", "has no usable host", hint)
		return
	}
	if !isLoopback(host) && !v.cfg.AllowRemote {
		v.report.problem("listen", "is reachable from other machines, and there is no inbound authentication",
			"listen on 127.0.0.1, or set allow_remote = true where the network itself is trusted")
	}
}

// isLoopback reports whether host is reachable from this machine alone. Of names only localhost is known to be.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func (v *validator) guard() {
	for i, host := range v.cfg.Guard.AllowedHosts {
		if path := item("guard.allowed_hosts", i); !isHost(host) && !v.report.has(path) {
			v.report.problem(path, "is not a host or host:port", "write a name or address alone, without scheme, path or wildcard")
		}
	}
	for i, origin := range v.cfg.Guard.AllowedOrigins {
		if path := item("guard.allowed_origins", i); !isOrigin(origin) && !v.report.has(path) {
			v.report.problem(path, "is not an origin",
				"write scheme://host or scheme://host:port as a browser sends it, without path, wildcard or default port")
		}
	}
}

// isHost reports whether s is what a Host header may hold.
func isHost(s string) bool {
	u, err := url.Parse("http://" + s)
	return err == nil && u.Host == s && u.Hostname() != "" && portOK(u) && !strings.HasSuffix(s, ":") &&
		!strings.ContainsAny(u.Hostname(), "*,;'\"<>!$&()= ")
}

// isOrigin reports whether s is what an Origin header may hold, "null" excepted. Other schemes than http are those
// of editors and browser extensions.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Scheme+"://"+u.Host != s || !isHost(u.Host) {
		return false
	}
	defaultPort := u.Scheme == "http" && u.Port() == "80" || u.Scheme == "https" && u.Port() == "443"
	return !defaultPort
}

func portOK(u *url.URL) bool {
	if u.Port() == "" {
		return true
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0
}

func (v *validator) upstream() {
	up := v.cfg.Upstream
	base := v.base("upstream.base_url", up.BaseURL)
	if up.ChatGPTBaseURL != "" {
		v.base("upstream.chatgpt_base_url", up.ChatGPTBaseURL)
	} else if base != nil && base.Scheme == "http" && up.CACertificate != "" {
		v.report.warn("upstream.ca_certificate", "has no effect, since upstream.base_url is http://", "")
	}
	if proxy := up.Proxy.Reveal(); proxy != "" {
		if u := v.url("upstream.proxy", proxy); u != nil {
			if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
				v.report.problem("upstream.proxy", "has a path, query or fragment", "write http://host:port")
			}
			v.notSelf("upstream.proxy", u)
		}
	}
	v.certificates("upstream.ca_certificate", up.CACertificate)
}

// base checks a URL that paths of requests are appended to.
func (v *validator) base(path, raw string) *url.URL {
	base := v.url(path, raw)
	if base == nil {
		return nil
	}
	if base.User != nil {
		v.report.problem(path, "contains credentials", "the agent sends its own; remove them from the URL")
	}
	if base.RawQuery != "" || base.ForceQuery || base.Fragment != "" {
		v.report.problem(path, "has a query or fragment, which requests would not carry", "keep scheme, host and path")
	}
	v.notSelf(path, base)
	return base
}

// url checks that raw is an http or https URL with a host. The parser's error is left out: it quotes the URL.
func (v *validator) url(path, raw string) *url.URL {
	const hint = `write it as a URL, "http://host:port" or "https://host"`
	u, err := url.Parse(raw)
	switch {
	case err != nil, !strings.Contains(raw, "://"):
		v.report.problem(path, "is not a URL", hint)
	case u.Scheme != "http" && u.Scheme != "https":
		v.report.problem(path, "is not an http:// or https:// URL", hint)
	case u.Hostname() == "":
		v.report.problem(path, "has no host", hint)
	case !portOK(u):
		v.report.problem(path, "has no port between 1 and 65535", hint)
	default:
		return u
	}
	return nil
}

// notSelf reports a destination that is the proxy's own listener: everything sent there would come back.
func (v *validator) notSelf(path string, u *url.URL) {
	host, port, err := net.SplitHostPort(v.cfg.Listen)
	if err != nil {
		return
	}
	target := u.Port()
	if target == "" {
		target = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	ip, _ := netip.ParseAddr(host)
	everywhere := host == "" || ip.IsUnspecified()
	same := strings.EqualFold(host, u.Hostname()) || isLoopback(u.Hostname()) && (isLoopback(host) || everywhere)
	if port == target && same {
		v.report.problem(path, "is this proxy's own listen address", "")
	}
}
