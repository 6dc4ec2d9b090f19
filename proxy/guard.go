package proxy

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
)

// Guard keeps web pages from using a proxy that listens on the machine they are displayed on. A browser connects to
// 127.0.0.1 for any page, and DNS rebinding even makes such a page same-origin. Three headers give it away: Host still
// has the name of the page's site, Origin names the page, and Sec-Fetch-Site is there when Origin is not. A page can
// set none of them. Programs are not held back: what they send is theirs to choose. The check is the one of Tailscale's LocalAPI.
type Guard struct {
	hosts   map[string]bool // name, or name:port, as splitHost spells them
	origins map[string]bool // lower case
	refused atomic.Int64
}

// NewGuard returns a guard that lets in loopback hosts (localhost, 127.0.0.0/8 and [::1], on any port), and beside them hosts, each
// a host for any port or a host:port, and web pages of origins, each spelled as browsers send it. Entries that are
// neither match nothing; "null", the origin of every sandboxed page, never matches.
func NewGuard(hosts, origins []string) *Guard {
	g := &Guard{hosts: make(map[string]bool, len(hosts)), origins: make(map[string]bool, len(origins))}
	for _, entry := range hosts {
		if name, port, ok := splitHost(entry); ok {
			g.hosts[joinHost(name, port)] = true
		}
	}
	for _, origin := range origins {
		if strings.Contains(origin, "://") {
			g.origins[strings.ToLower(origin)] = true
		}
	}
	return g
}

// Wrap returns a handler that answers 403, with an error as the OpenAI API spells it, where a request may not pass, and
// calls next where it may. WebSocket handshakes are requests like any other here: browsers send Origin with each.
func (g *Guard) Wrap(next http.Handler) http.Handler { return &guarded{g, next} }

// guarded is a handler behind a guard.
type guarded struct {
	guard *Guard
	next  http.Handler
}

// ServeHTTP implements http.Handler.
func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.guard.admits(w, r) {
		g.next.ServeHTTP(w, r)
	}
}

// admits reports whether a request may pass, and answers it if not.
func (g *Guard) admits(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case !g.hostAllowed(r):
		g.refuse(w, "host_not_allowed", "The Host header names neither this machine's loopback nor an allowed host. "+
			"If it should, add it to allowed_hosts under [guard] in the configuration of codex-proxy.")
		return false
	case !g.originAllowed(r):
		g.refuse(w, "origin_not_allowed", "Web pages of other origins may not call this proxy. "+
			"If this one should, add its origin to allowed_origins under [guard] in the configuration of codex-proxy.")
		return false
	default:
		return true
	}
}

// Refused returns how many requests were answered with 403 since the start.
func (g *Guard) Refused() int64 { return g.refused.Load() }

// hostAllowed reports whether the request's Host, or the host of an absolute target, is meant for this proxy.
func (g *Guard) hostAllowed(r *http.Request) bool {
	name, port, ok := splitHost(r.Host)
	if !ok {
		return false
	}
	return isLoopback(name) || g.hosts[name] || g.hosts[joinHost(name, portOr(port, r))]
}

// originAllowed reports whether no web page sent the request, or one that may. Only called once the host is allowed.
func (g *Guard) originAllowed(r *http.Request) bool {
	switch origins := r.Header.Values("Origin"); len(origins) {
	case 0:
		// Browsers leave Origin out of most GETs, and name the relation in Sec-Fetch-Site; "none" is the address bar.
		for _, site := range r.Header.Values("Sec-Fetch-Site") {
			if site != "none" && site != "same-origin" {
				return false
			}
		}
		return true
	case 1:
		return g.origins[strings.ToLower(origins[0])] || sameLoopbackOrigin(origins[0], r)
	default:
		return false
	}
}

// sameLoopbackOrigin reports whether origin is the address that the request itself went to, on this machine. Another
// port is another program, whose pages are as foreign as any.
func sameLoopbackOrigin(origin string, r *http.Request) bool {
	authority, ok := strings.CutPrefix(strings.ToLower(origin), scheme(r)+"://")
	if !ok {
		return false
	}
	name, port, ok := splitHost(authority)
	if !ok || !isLoopback(name) {
		return false
	}
	host, hostPort, ok := splitHost(r.Host)
	return ok && name == host && portOr(port, r) == portOr(hostPort, r)
}

func (g *Guard) refuse(w http.ResponseWriter, code, message string) {
	g.refused.Add(1)
	w.Header().Set("Cache-Control", "no-store")
	writeError(w, http.StatusForbidden, code, message)
}

// isLoopback reports whether name, as splitHost spells it, is this machine's loopback. Of names only localhost is
// known to be: some resolvers ask the network about names below it.
func isLoopback(name string) bool {
	if name == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.IsLoopback()
}

// splitHost takes host or host:port apart (RFC 9110 §7.2). The name comes back in lower case, without the dot of a
// complete domain name; an address in its shortest spelling and without brackets. Whatever else an authority may
// hold, such as user information or a zone, makes it not ok.
func splitHost(s string) (name, port string, ok bool) {
	name, port = s, ""
	if rest, bracketed := strings.CutPrefix(s, "["); bracketed {
		address, after, closed := strings.Cut(rest, "]")
		addr, err := netip.ParseAddr(address)
		if !closed || err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", "", false
		}
		if after == "" {
			return addr.Unmap().String(), "", true
		}
		port, ok = strings.CutPrefix(after, ":")
		return addr.Unmap().String(), port, ok && isPort(port)
	}
	if before, after, found := strings.Cut(s, ":"); found {
		if !isPort(after) {
			return "", "", false
		}
		name, port = before, after
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name, port, isName(name)
}

// isName reports whether name may be a domain name or an IPv4 address: letters, digits and the signs names are joined with.
func isName(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return name != ""
}

func isPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && port[0] != '0'
}

// joinHost puts the parts splitHost returned into one map key.
func joinHost(name, port string) string {
	if port == "" {
		return name
	}
	return name + " " + port // a space is in no name, while a colon is in addresses
}

// portOr returns port, or the port that a request without one went to.
func portOr(port string, r *http.Request) string {
	if port != "" {
		return port
	}
	if r.TLS != nil {
		return "443"
	}
	return "80"
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}
