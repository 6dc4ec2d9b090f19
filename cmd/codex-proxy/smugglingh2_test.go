package main

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2Case is a request in HTTP/2, whose fields have lengths and may hold what ends a line in HTTP/1.
type h2Case struct {
	name     string
	fields   []string // name and value in turn
	body     string
	upstream []string
}

func h2Cases() []h2Case {
	ask := func(more ...string) []string {
		return append([]string{":method", "POST", ":scheme", "http", ":authority", "127.0.0.1", ":path", "/v1/responses"}, more...)
	}
	get := func(method, authority, path string) []string {
		return []string{":method", method, ":scheme", "http", ":authority", authority, ":path", path}
	}
	const line = "\r\nGET /v1/smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
	return []h2Case{
		{"a request", ask("content-length", "5"), "hello", []string{`POST /v1/responses "hello"`}},
		{"without a length", ask(), "hello", []string{`POST /v1/responses "hello"`}},
		{"lines in a value", ask("x", "y"+line), "", nil},
		{"a line feed in a value", ask("x", "y\nz"), "", nil},
		{"a NUL in a value", ask("x", "y\x00z"), "", nil},
		{"lines in a name", ask("x: y"+line+"z", "z"), "", nil},
		{"a colon in a name", ask("x:y", "z"), "", nil},
		{"a space in a name", ask("x y", "z"), "", nil},
		{"a name in capitals", ask("X", "z"), "", nil},
		{"lines in the path", get("GET", "127.0.0.1", "/v1/models HTTP/1.1\r\nX: y"), "", nil},
		{"a space in the path", get("GET", "127.0.0.1", "/v1/models HTTP/1.1"), "", nil},
		{"a space in the query", get("GET", "127.0.0.1", "/v1/models?x HTTP/1.1"), "", nil},
		{"a NUL in the path", get("GET", "127.0.0.1", "/v1/mod\x00els"), "", nil},
		{"no slash in the path", get("GET", "127.0.0.1", "v1/models"), "", nil},
		{"an absolute path", get("GET", "127.0.0.1", "http://evil.test/v1/models"), "", nil},
		{"lines in the method", get("GET /v1/smuggled HTTP/1.1\r\nX: y\r\n\r\nGET", "127.0.0.1", "/v1/models"), "", nil},
		{"a space in the method", get("GET /v1/x HTTP/1.1", "127.0.0.1", "/v1/models"), "", nil},
		{"lines in the authority", get("GET", "127.0.0.1\r\nX: y", "/v1/models"), "", nil},
		{"another authority", get("GET", "evil.test", "/v1/models"), "", nil},
		{"another host", ask("host", "evil.test", "content-length", "0"), "", []string{"POST /v1/responses"}},
		{"a coding", ask("transfer-encoding", "chunked"), "0\r\n\r\n" + line[2:], nil},
		{"a connection field", ask("connection", "content-length"), "", nil},
		{"an upgrade", ask("upgrade", "h2c"), "", nil},
		{"a length below the body", ask("content-length", "1"), line[2:], nil},
		{"a length past the body", ask("content-length", "50"), "hello", nil},
		{"two lengths", ask("content-length", "5", "content-length", "0"), "hello", nil},
		{"a length that is no number", ask("content-length", "5, 5"), "hello", nil},
		{"two paths", ask(":path", "/v1/other"), "", nil},
		{"a pseudo field behind another", ask("x", "y", ":authority", "evil.test"), "", nil},
		{"an unknown pseudo field", ask(":x", "y"), "", nil},
	}
}

// TestSmugglingHTTP2 sends them over HTTP/2, where each is refused or arrives in a form that means one thing only.
func TestSmugglingHTTP2(t *testing.T) {
	upstream := newRawUpstream(t)
	p := startProxy(t, upstream.baseURL(), "")
	for _, c := range h2Cases() {
		t.Run(c.name, func(t *testing.T) {
			status := exchangeH2(t, strings.TrimPrefix(p.url, "http://"), c)
			raw, seen, violations := upstream.take()
			if diff := cmp.Diff(c.upstream, seen); diff != "" {
				t.Errorf("requests at the upstream (-want +got):\n%s\nof %q", diff, raw)
			}
			if violations != nil {
				t.Errorf("violations %q at the upstream in %q", violations, raw)
			}
			if (status == "200") != (c.upstream != nil) {
				t.Errorf("status = %q with %q at the upstream", status, seen)
			}
			if status != "" && status[0] == '5' {
				t.Errorf("status = %q; want the client's fault to be told as such", status)
			}
		})
	}
	p.stop()
}

// exchangeH2 sends one request over a connection of its own and returns the status, or nothing if the stream or the
// connection is broken off.
func exchangeH2(t *testing.T, address string, c h2Case) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head)
	for i := 0; i < len(c.fields); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: c.fields[i], Value: c.fields[i+1]})
	}
	_, _ = io.WriteString(conn, http2.ClientPreface)
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = framer.WriteSettings()
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: head.Bytes(), EndHeaders: true, EndStream: c.body == ""})
	if c.body != "" {
		_ = framer.WriteData(1, true, []byte(c.body))
	}
	status := ""
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return status
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			status = frame.PseudoValue("status")
			if frame.StreamEnded() {
				return status
			}
		case *http2.DataFrame:
			if frame.StreamEnded() {
				return status
			}
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return status
		}
	}
}
