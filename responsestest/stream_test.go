package responsestest_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	rt "github.com/codex-proxy/codex-proxy/responsestest"
)

func post(t *testing.T, srv *rt.Server) *http.Response {
	t.Helper()
	return send(t, srv.Client(), http.MethodPost, srv.BaseURL()+"/responses", "{}")
}

func TestDefaultHeaders(t *testing.T) {
	srv := rt.NewServer(t)
	srv.Sequence(answer("a"), rt.Response{
		Status: http.StatusTooManyRequests,
		Header: http.Header{"cf-ray": {}, "retry-after": {"3"}, "x-request-id": {"mine"}, "content-type": {"text/plain"}},
		Body:   []byte("slow down"),
	})
	got := exchange(t, srv.Client(), http.MethodPost, srv.BaseURL()+"/responses", "{}")
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cf-Ray": "0000000000000001-TST",
		"X-Request-Id": "req_00000000000000000000000000000001", "Openai-Processing-Ms": "12",
	} {
		if value := got.header.Get(name); value != want {
			t.Errorf("%s = %q; want %q", name, value, want)
		}
	}
	if got.length != -1 {
		t.Errorf("stream has length %d; want none", got.length)
	}
	got = exchange(t, srv.Client(), http.MethodPost, srv.BaseURL()+"/responses", "{}")
	if got.status != http.StatusTooManyRequests || got.body != "slow down" || got.length != 9 {
		t.Errorf("answer = %d %q of length %d", got.status, got.body, got.length)
	}
	got.header.Del("Date")
	got.header.Del("Content-Length")
	want := http.Header{"Retry-After": {"3"}, "X-Request-Id": {"mine"}, "Content-Type": {"text/plain"}, "Openai-Processing-Ms": {"12"}}
	if diff := cmp.Diff(want, got.header); diff != "" {
		t.Errorf("headers differ (-want +got):\n%s", diff)
	}
}

func TestJSONResponses(t *testing.T) {
	srv := rt.NewServer(t)
	srv.Sequence(
		rt.CompletedJSON("r", rt.Usage{Input: 1, Output: 2}, rt.MessageItem("m", "hi")),
		rt.Error(http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "no"),
		rt.Error(http.StatusBadGateway, "server_error", "", "no"),
		rt.Response{Status: http.StatusNoContent},
	)
	for _, tt := range []struct {
		status int
		body   string
	}{
		{200, `{"id":"r","object":"response","status":"completed","output":[` + string(rt.MessageItem("m", "hi")) +
			`],"usage":{"input_tokens":1,"input_tokens_details":{"cached_tokens":0},"output_tokens":2,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":3}}`},
		{401, `{"error":{"message":"no","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`},
		{502, `{"error":{"message":"no","type":"server_error","param":null,"code":null}}`},
		{204, ""},
	} {
		if status, body := call(t, srv, `{"stream":false}`); status != tt.status || body != tt.body {
			t.Errorf("answer = %d %s; want %d %s", status, body, tt.status, tt.body)
		}
	}
}

func TestGateStopsTheStream(t *testing.T) {
	srv := rt.NewServer(t)
	gate, hold, head := rt.NewGate(), make(chan struct{}), make(chan struct{})
	first, second, third := rt.TextDelta("1"), rt.TextDelta("2"), rt.TextDelta("3")
	srv.Once(rt.Response{Hold: head, Events: []rt.Event{first, gate.Stop(), second, rt.Wait(hold), third}})
	if closed(gate.Reached()) {
		t.Fatal("gate reached before there is a stream")
	}
	close(head)
	resp := post(t, srv)
	defer resp.Body.Close()
	expect := func(e rt.Event) {
		t.Helper()
		want := rt.SSE(e)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(resp.Body, got); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("stream = %q, %v; want %q", got, err, want)
		}
	}
	expect(first)
	<-gate.Reached()
	req := srv.Requests()[0]
	if closed(req.Done()) {
		t.Fatal("answer is done behind a closed gate")
	}
	gate.Open()
	gate.Open()
	expect(second)
	hold <- struct{}{}
	expect(third)
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
		t.Errorf("rest = %q, %v; want none", rest, err)
	}
	<-req.Done()
	if err := req.Err(); err != nil {
		t.Errorf("Err() = %v; want nil", err)
	}
}

func TestHeadersLeaveBeforeTheFirstEvent(t *testing.T) {
	srv := rt.NewServer(t)
	gate := rt.NewGate()
	srv.Once(rt.Stream(gate.Stop(), rt.Completed("r")))
	resp := post(t, srv) // returns with the headers
	defer resp.Body.Close()
	gate.Open()
	if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, rt.SSE(rt.Completed("r"))) {
		t.Errorf("body = %q, %v", got, err)
	}
}

func closed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func TestTrailer(t *testing.T) {
	srv := rt.NewServer(t)
	srv.Once(rt.Response{Events: []rt.Event{rt.Completed("r")}, Trailer: http.Header{"x-sum": {"42"}}})
	reply := exchange(t, srv.Client(), http.MethodPost, srv.BaseURL()+"/responses", "{}")
	if got := reply.trailer.Get("X-Sum"); got != "42" {
		t.Errorf("trailer = %q; want 42", got)
	}
}

func TestEncodedBodies(t *testing.T) {
	want := string(rt.SSE(answer("r").Events...))
	decoders := map[string]func(io.Reader) (io.Reader, error){
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) },
	}
	for encoding, decoder := range decoders {
		t.Run(encoding, func(t *testing.T) {
			srv := rt.NewServer(t)
			srv.Once(rt.Response{Events: answer("r").Events, Encoding: encoding})
			resp := send(t, srv.Client(), http.MethodPost, srv.BaseURL()+"/responses", "{}", "Accept-Encoding", encoding)
			defer resp.Body.Close()
			if got := resp.Header.Get("Content-Encoding"); got != encoding {
				t.Errorf("content-encoding = %q; want %q", got, encoding)
			}
			r, err := decoder(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || string(got) != want {
				t.Errorf("body = %q, %v; want %q", got, err, want)
			}
		})
	}
}

// Each flushed piece is one HTTP/1.1 chunk.
func TestChunkBytes(t *testing.T) {
	srv := rt.NewServer(t)
	body := rt.SSE(rt.Created("r"))
	srv.Once(rt.Response{Body: body, ChunkBytes: 50})
	conn := dial(t, srv)
	request := "POST /v1/responses HTTP/1.1\r\nHost: mock\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	var sizes []int64
	var got strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		size, err := strconv.ParseInt(strings.TrimSpace(line), 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		if size == 0 {
			break
		}
		sizes = append(sizes, size)
		if _, err := io.CopyN(&got, r, size); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Discard(2); err != nil {
			t.Fatal(err)
		}
	}
	want := []int64{50, 50, int64(len(body) - 100)}
	if diff := cmp.Diff(want, sizes); diff != "" || got.String() != string(body) {
		t.Errorf("chunks differ (-want +got):\n%s\nbody %q", diff, got.String())
	}
}
