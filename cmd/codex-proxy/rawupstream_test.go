package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// rawUpstream is an upstream that looks at the bytes themselves: it understands what RFC 9112 requires of a sender, to the
// letter, and calls everything else a violation. What it takes without one, no other server can take for something else.
type rawUpstream struct {
	listener net.Listener

	mu         sync.Mutex
	conns      sync.WaitGroup
	open       map[net.Conn]struct{}
	raw        bytes.Buffer // all that came since the last take
	seen       []string     // requests since the last take, as rawRequest.String spells them
	violations []string
}

// newRawUpstream serves until the test ends.
func newRawUpstream(t *testing.T) *rawUpstream {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &rawUpstream{listener: listener, open: map[net.Conn]struct{}{}}
	u.conns.Go(u.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		u.mu.Lock()
		for conn := range u.open {
			_ = conn.Close()
		}
		u.mu.Unlock()
		u.conns.Wait()
	})
	return u
}

// baseURL is what the proxy is told.
func (u *rawUpstream) baseURL() string { return "http://" + u.listener.Addr().String() + "/v1" }

// take returns what came since the last call.
func (u *rawUpstream) take() (raw string, seen, violations []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	raw, seen, violations = u.raw.String(), u.seen, u.violations
	u.raw.Reset()
	u.seen, u.violations = nil, nil
	return raw, seen, violations
}

// connections returns how many are open.
func (u *rawUpstream) connections() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.open)
}

func (u *rawUpstream) accept() {
	for {
		conn, err := u.listener.Accept()
		if err != nil {
			return
		}
		u.mu.Lock()
		u.open[conn] = struct{}{}
		u.mu.Unlock()
		u.conns.Go(func() { u.serve(conn) })
	}
}

// Write keeps what is read.
func (u *rawUpstream) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.raw.Write(p)
}

// serve answers each request with what was understood of it.
func (u *rawUpstream) serve(conn net.Conn) {
	defer func() {
		u.mu.Lock()
		delete(u.open, conn)
		u.mu.Unlock()
		_ = conn.Close()
	}()
	r := bufio.NewReader(io.TeeReader(conn, u))
	for {
		request, err := readRawRequest(r)
		u.mu.Lock()
		if violation, ok := errors.AsType[violation](err); ok {
			u.violations = append(u.violations, string(violation))
		} else if err == nil {
			u.seen = append(u.seen, request.String())
		}
		u.mu.Unlock()
		if err != nil {
			return
		}
		text := request.String()
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
	}
}

// rawRequest is a request as it is to be understood.
type rawRequest struct {
	method, target string
	body           []byte
}

// String returns the request on one line.
func (r rawRequest) String() string {
	target := strings.Trim(strconv.QuoteToASCII(r.target), `"`)
	if len(r.body) == 0 {
		return r.method + " " + target
	}
	return r.method + " " + target + " " + strconv.Quote(string(r.body))
}

// violation says what no sender may send.
type violation string

// Error implements error.
func (v violation) Error() string { return string(v) }

var (
	requestLine = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\\x00-\\x20\\x7f]+) HTTP/1\\.1$")
	fieldLine   = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\\x00-\\x08\\x0a-\\x1f\\x7f]*?)[ \t]*$")
	chunkLine   = regexp.MustCompile("^[0-9a-fA-F]{1,8}$")
	lengthValue = regexp.MustCompile("^[0-9]{1,9}$")
)

// readRawRequest reads one request.
func readRawRequest(r *bufio.Reader) (rawRequest, error) {
	var request rawRequest
	line, err := readRawLine(r)
	if err != nil {
		return request, err
	}
	parts := requestLine.FindStringSubmatch(line)
	if parts == nil {
		return request, violation(fmt.Sprintf("request line %q", line))
	}
	request.method, request.target = parts[1], parts[2]
	fields, err := readFields(r)
	if err != nil {
		return request, err
	}
	switch lengths, codings := fields["content-length"], fields["transfer-encoding"]; {
	case len(fields["host"]) != 1:
		return request, violation(fmt.Sprintf("%d Host fields", len(fields["host"])))
	case len(lengths)+len(codings) > 1:
		return request, violation(fmt.Sprintf("lengths %q and codings %q", lengths, codings))
	case len(codings) == 1:
		if codings[0] != "chunked" {
			return request, violation(fmt.Sprintf("coding %q", codings[0]))
		}
		request.body, err = readRawChunks(r)
	case len(lengths) == 1:
		if !lengthValue.MatchString(lengths[0]) {
			return request, violation(fmt.Sprintf("length %q", lengths[0]))
		}
		n, _ := strconv.Atoi(lengths[0])
		request.body = make([]byte, n)
		_, err = io.ReadFull(r, request.body)
	}
	return request, err
}

// readFields reads field lines up to the empty one.
func readFields(r *bufio.Reader) (map[string][]string, error) {
	fields := map[string][]string{}
	for {
		line, err := readRawLine(r)
		if err != nil || line == "" {
			return fields, err
		}
		parts := fieldLine.FindStringSubmatch(line)
		if parts == nil {
			return nil, violation(fmt.Sprintf("field line %q", line))
		}
		name := strings.ToLower(parts[1])
		fields[name] = append(fields[name], parts[2])
	}
}

// readRawChunks reads a chunked body with its trailers.
func readRawChunks(r *bufio.Reader) ([]byte, error) {
	var body []byte
	for {
		line, err := readRawLine(r)
		if err != nil {
			return nil, err
		}
		if !chunkLine.MatchString(line) {
			return nil, violation(fmt.Sprintf("chunk line %q", line))
		}
		n, _ := strconv.ParseInt(line, 16, 64)
		if n == 0 {
			fields, err := readFields(r)
			for _, name := range []string{"content-length", "transfer-encoding", "host"} {
				if fields[name] != nil {
					return nil, violation("trailer " + name)
				}
			}
			return body, err
		}
		chunk := make([]byte, n+2)
		if _, err := io.ReadFull(r, chunk); err != nil {
			return nil, err
		}
		if string(chunk[n:]) != "\r\n" {
			return nil, violation(fmt.Sprintf("chunk of %d ends with %q", n, chunk[n:]))
		}
		body = append(body, chunk[:n]...)
	}
}

// readRawLine reads a line that ends with CRLF, and has neither of the two elsewhere.
func readRawLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	text, ok := strings.CutSuffix(line, "\r\n")
	if !ok || strings.ContainsAny(text, "\r\x00") {
		return "", violation(fmt.Sprintf("line %q", line))
	}
	return text, nil
}
