package coding

import (
	"errors"
	"strings"
)

// MaxCodings is how many codings of one body are undone. More than one is rare, more than two an attack.
const MaxCodings = 3

var (
	errUnknown = errors.New("unknown content coding")
	errTooMany = errors.New("too many content codings")
)

// kind is a content coding of IANA's registry that can be undone.
type kind uint8

const (
	kindGzip kind = iota
	kindDeflate
	kindBrotli
	kindZstd
	kinds // their number
)

// list is the codings of a body in the order in which they were applied.
type list struct {
	kinds [MaxCodings]kind
	n     int
}

// Identity reports whether the values of a Content-Encoding header name no coding, so that the body is as it is.
func Identity(contentEncoding []string) bool {
	for name := range names(contentEncoding) {
		if !strings.EqualFold(name, "identity") {
			return false
		}
	}
	return true
}

// parse reads the values of a Content-Encoding header. Several fields are one list (RFC 9110 §5.3), names are
// case-insensitive, "x-gzip" is "gzip" (§8.4.1.3), and "identity" stands for nothing.
func parse(contentEncoding []string) (list, error) {
	var l list
	for name := range names(contentEncoding) {
		var k kind
		switch strings.ToLower(name) {
		case "identity":
			continue
		case "gzip", "x-gzip":
			k = kindGzip
		case "deflate":
			k = kindDeflate
		case "br":
			k = kindBrotli
		case "zstd":
			k = kindZstd
		default:
			return list{}, errUnknown
		}
		if l.n == MaxCodings {
			return list{}, errTooMany
		}
		l.kinds[l.n] = k
		l.n++
	}
	return l, nil
}

// names yields the elements of a comma-separated list, without the empty ones that RFC 9110 §5.6.1.2 tells to ignore.
func names(values []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, value := range values {
			for name := range strings.SplitSeq(value, ",") {
				if name = strings.Trim(name, " \t"); name != "" && !yield(name) {
					return
				}
			}
		}
	}
}
