package responses

import (
	"strconv"
	"strings"
)

// RefusalText is what releases of Codex told of a response outside 2xx: its
// status and its whole body, as Rust prints a text that may be missing
// (TransportError::Http of codex-rs codex-client).
func RefusalText(status int, body []byte) string {
	return "http " + strconv.Itoa(status) + " " + reasonPhrase(int64(status)) + ": Some(" + debugText(strings.ToValidUTF8(string(body), "\uFFFD")) + ")"
}

// reasonPhrase returns the words of a status as the http crate of Rust has them.
func reasonPhrase(status int64) string {
	if phrase, ok := reasonPhrases[status]; ok {
		return phrase
	}
	return "<unknown status code>"
}

var reasonPhrases = map[int64]string{
	300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
	305: "Use Proxy", 307: "Temporary Redirect", 308: "Permanent Redirect",
	400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
	405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout",
	409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed", 413: "Payload Too Large",
	414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable", 417: "Expectation Failed",
	418: "I'm a teapot", 421: "Misdirected Request", 422: "Unprocessable Entity", 423: "Locked",
	424: "Failed Dependency", 425: "Too Early", 426: "Upgrade Required", 428: "Precondition Required",
	429: "Too Many Requests", 431: "Request Header Fields Too Large", 451: "Unavailable For Legal Reasons",
	500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
	504: "Gateway Timeout", 505: "HTTP Version Not Supported", 506: "Variant Also Negotiates",
	507: "Insufficient Storage", 508: "Loop Detected", 510: "Not Extended", 511: "Network Authentication Required",
}
