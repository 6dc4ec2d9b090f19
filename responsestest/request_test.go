package responsestest_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	rt "github.com/codex-proxy/codex-proxy/responsestest"
)

func dial(t *testing.T, srv *rt.Server) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(srv.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

const toolBody = `{"model":"gpt-5-codex","input":[
	{"type":"message","role":"user","content":[{"type":"input_text","text":"say "},{"type":"input_text","text":"hello"}]},
	{"type":"function_call","name":"shell","arguments":"{}","call_id":"call_1"},
	{"type":"function_call_output","call_id":"call_1","output":"Exit code: 0\n"},
	{"type":"custom_tool_call","call_id":"call_2","name":"apply_patch","input":"*** Begin Patch"},
	{"type":"custom_tool_call_output","call_id":"call_2","output":[{"type":"input_text","text":"Success"}]},
	{"role":"assistant","content":"done"}]}`

func TestRequestRecorded(t *testing.T) {
	srv := rt.NewServer(t)
	srv.Any(answer("a"))
	url := srv.URL + "/v1/a%2Fb/responses?x=%zz&y=1;2"
	exchange(t, srv.Client(), http.MethodPost, url, toolBody, "Session_id", "s1")
	r := srv.Requests()[0]
	if r.Method != http.MethodPost || r.Path != "/v1/a%2Fb/responses" || r.RawQuery != "x=%zz&y=1;2" || r.Proto != "HTTP/1.1" {
		t.Errorf("recorded %s %s ? %s over %s", r.Method, r.Path, r.RawQuery, r.Proto)
	}
	if want := r.Path + "?" + r.RawQuery; r.RequestURI != want || r.Host != strings.TrimPrefix(srv.URL, "http://") {
		t.Errorf("target = %q at %q; want %q", r.RequestURI, r.Host, want)
	}
	if r.Header.Get("session_id") != "s1" || r.At.IsZero() || r.RemoteAddr == "" {
		t.Errorf("header = %v at %v from %q", r.Header, r.At, r.RemoteAddr)
	}
	if string(r.Body) != toolBody || r.BodyBytes != int64(len(toolBody)) || r.Truncated || r.BodySHA256 != sha256.Sum256([]byte(toolBody)) {
		t.Errorf("body of %d bytes, truncated %v, digest %x", r.BodyBytes, r.Truncated, r.BodySHA256)
	}
	if got := r.JSON("input.#").Int(); got != 6 {
		t.Errorf(`JSON("input.#") = %d; want 6`, got)
	}
	items := r.Input()
	for i := range items {
		items[i].Raw = ""
	}
	want := []rt.InputItem{
		{Type: "message", Role: "user", Text: "say hello"},
		{Type: "function_call", Name: "shell", Arguments: "{}", CallID: "call_1"},
		{Type: "function_call_output", CallID: "call_1", Output: "Exit code: 0\n"},
		{Type: "custom_tool_call", Name: "apply_patch", Input: "*** Begin Patch", CallID: "call_2"},
		{Type: "custom_tool_call_output", CallID: "call_2", Output: "Success"},
		{Type: "message", Role: "assistant", Text: "done"},
	}
	if diff := cmp.Diff(want, items); diff != "" {
		t.Errorf("Input() differs (-want +got):\n%s", diff)
	}
	if got, ok := r.ToolOutput("call_2"); got != "Success" || !ok {
		t.Errorf(`ToolOutput("call_2") = %q, %v; want "Success"`, got, ok)
	}
	if got, ok := r.ToolOutput("call_9"); ok {
		t.Errorf(`ToolOutput("call_9") = %q; want none`, got)
	}
}

func TestRequestStringInput(t *testing.T) {
	srv := rt.NewServer(t)
	srv.Any(answer("a"))
	call(t, srv, `{"input":"hello"}`)
	call(t, srv, `{"input":`)
	if got := srv.Requests()[0].Input(); len(got) != 1 || got[0].Text != "hello" || got[0].Role != "user" {
		t.Errorf("Input() = %+v; want one message", got)
	}
	if r := srv.Requests()[1]; r.Input() != nil || r.JSON("input").Exists() {
		t.Errorf("Input() = %+v of a body that is no JSON; want none", r.Input())
	}
}

func TestRequestTrailer(t *testing.T) {
	srv := rt.NewServer(t)
	srv.Any(answer("a"))
	conn := dial(t, srv)
	request := "POST /v1/responses HTTP/1.1\r\nHost: mock\r\nConnection: close\r\nTrailer: X-Sum\r\n" +
		"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Sum: 42\r\n\r\n"
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Fatal(err)
	}
	if r := srv.Requests()[0]; r.Trailer.Get("X-Sum") != "42" || string(r.Body) != "{}" {
		t.Errorf("trailer = %v after %q", r.Trailer, r.Body)
	}
}

func TestDecodedBody(t *testing.T) {
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	io.WriteString(zw, toolBody)
	zw.Close()
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer enc.Close()
	srv := rt.NewServer(t)
	srv.Any(answer("a"))
	for _, tt := range []struct{ encoding, body, want string }{
		{"", toolBody, toolBody},
		{"identity", toolBody, toolBody},
		{"gzip", zipped.String(), toolBody},
		{"zstd", string(enc.EncodeAll([]byte(toolBody), nil)), toolBody},
		{"gzip, zstd", string(enc.EncodeAll(zipped.Bytes(), nil)), toolBody},
		{"zstd", "not zstd", "error"},
		{"gzip", zipped.String()[:40], "error"},
		{"br", "x", "error"},
	} {
		exchange(t, srv.Client(), http.MethodPost, srv.BaseURL()+"/responses", tt.body, "Content-Encoding", tt.encoding)
		requests := srv.Requests()
		r := requests[len(requests)-1]
		got, err := r.DecodedBody()
		if tt.want == "error" {
			if err == nil || !strings.HasPrefix(err.Error(), "decode body: ") {
				t.Errorf("%s: DecodedBody() = %q, %v; want an error", tt.encoding, got, err)
			}
			continue
		}
		if err != nil || string(got) != tt.want || r.JSON("model").Str != "gpt-5-codex" {
			t.Errorf("%s: DecodedBody() = %q, %v", tt.encoding, got, err)
		}
	}
}

func TestBodyPastTheBound(t *testing.T) {
	srv, err := rt.Start(rt.Options{TB: t, MaxBodyBytes: 4})
	if err != nil {
		t.Fatal(err)
	}
	srv.Any(answer("a"))
	call(t, srv, "{   }")
	call(t, srv, "{  }")
	r := srv.Requests()[0]
	if string(r.Body) != "{   " || !r.Truncated || r.BodyBytes != 5 || r.BodySHA256 != sha256.Sum256([]byte("{   }")) {
		t.Errorf("body = %q, truncated %v, %d bytes", r.Body, r.Truncated, r.BodyBytes)
	}
	if _, err := r.DecodedBody(); err == nil {
		t.Error("DecodedBody() of a truncated body = nil error; want one")
	}
	if r := srv.Requests()[1]; r.Truncated || string(r.Body) != "{  }" {
		t.Errorf("body = %q, truncated %v; want it whole", r.Body, r.Truncated)
	}
}

func TestRecordingIsBounded(t *testing.T) {
	srv, err := rt.Start(rt.Options{TB: t, MaxRecordedBytes: 20, MaxRequests: 2})
	if err != nil {
		t.Fatal(err)
	}
	var models []string
	srv.Func(func(r *rt.Request) rt.Response {
		models = append(models, r.JSON("model").Str)
		return answer("a")
	}).Times(3)
	for range 3 {
		call(t, srv, `{"model":"m"}`)
	}
	if diff := cmp.Diff([]string{"m", "m", "m"}, models); diff != "" {
		t.Errorf("models seen differ (-want +got):\n%s", diff)
	}
	calls := srv.Requests()
	if len(calls) != 2 || srv.Unrecorded() != 1 {
		t.Fatalf("%d calls recorded, %d not; want 2 and 1", len(calls), srv.Unrecorded())
	}
	if calls[0].Truncated || !calls[1].Truncated || calls[1].Body != nil || calls[1].BodyBytes != 13 {
		t.Errorf("second call = %q, truncated %v, %d bytes", calls[1].Body, calls[1].Truncated, calls[1].BodyBytes)
	}
	<-calls[1].Done()
}

func TestBodyThatBreaksOff(t *testing.T) {
	tb := new(fakeTB)
	srv := rt.NewServer(tb)
	srv.Once(answer("a"))
	conn := dial(t, srv)
	if _, err := conn.Write([]byte("POST /v1/responses HTTP/1.1\r\nHost: mock\r\nContent-Length: 10\r\n\r\n{}")); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Fatal(err)
	}
	others := srv.OtherRequests()
	if len(srv.Requests()) != 0 || len(others) != 1 || others[0].BodyErr == nil || others[0].BodyBytes != 2 {
		t.Fatalf("%d calls, others %v; want one broken request", len(srv.Requests()), others)
	}
	wantFailures(t, tb.end(), "other request 1: POST /v1/responses (2 bytes) broke off: unexpected EOF")
}
