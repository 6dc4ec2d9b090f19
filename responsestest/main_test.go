package responsestest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeTB records what a server says to its test.
type fakeTB struct {
	mu       sync.Mutex
	errors   []string
	cleanups []func()
}

func (tb *fakeTB) Helper()             {}
func (tb *fakeTB) Logf(string, ...any) {}

func (tb *fakeTB) Errorf(format string, args ...any) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.errors = append(tb.errors, fmt.Sprintf(format, args...))
}

func (tb *fakeTB) Cleanup(f func()) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.cleanups = append(tb.cleanups, f)
}

// end does what the end of a test does and returns the failures.
func (tb *fakeTB) end() []string {
	tb.mu.Lock()
	cleanups := tb.cleanups
	tb.mu.Unlock()
	for _, f := range cleanups {
		f()
	}
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return tb.errors
}

// send makes a request and leaves the body to the caller.
func send(t *testing.T, client *http.Client, method, url, body string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return resp
}

// reply is a whole answer as a client saw it.
type reply struct {
	status          int
	proto           string
	header, trailer http.Header
	length          int64
	body            string
}

// exchange makes a request and reads its whole answer.
func exchange(t *testing.T, client *http.Client, method, url, body string, header ...string) reply {
	t.Helper()
	resp := send(t, client, method, url, body, header...)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("read answer: %v", err)
	}
	return reply{resp.StatusCode, resp.Proto, resp.Header, resp.Trailer, resp.ContentLength, string(b)}
}

// call posts a call and returns its status and whole body.
func call(t *testing.T, srv *responsestest.Server, body string) (status int, answer string) {
	t.Helper()
	r := exchange(t, srv.Client(), http.MethodPost, srv.BaseURL()+"/responses", body)
	return r.status, r.body
}

func wantFailures(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("failures = %q; want %d of them", got, len(want))
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("failure %d = %q; want it to contain %q", i, got[i], want[i])
		}
	}
}
