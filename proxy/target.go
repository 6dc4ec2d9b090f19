package proxy

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// ambiguous reports whether the request line of HTTP/1 cannot spell a request, which HTTP/2 can carry all the same: a
// method that is no token (RFC 9110 §9.1), or a target that has a space or control character in it, or is not what
// HTTP/2 has for targets (RFC 9113 §8.3.1); or it has several lengths, or one that is none, which the server lets pass
// in HTTP/2. An upstream would see another request than the one that came.
func ambiguous(r *http.Request) bool {
	for _, c := range r.Method {
		if !httpguts.IsTokenRune(c) {
			return true
		}
	}
	for _, c := range []byte(r.RequestURI) {
		if c <= ' ' || c == 0x7f {
			return true
		}
	}
	if r.ProtoMajor < 2 {
		return false // The server has looked at the rest.
	}
	if lengths := r.Header["Content-Length"]; len(lengths) > 1 || len(lengths) == 1 && !isDigits(lengths[0]) {
		return true
	}
	return r.Method != http.MethodConnect && r.RequestURI != "*" && !strings.HasPrefix(r.RequestURI, "/")
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
