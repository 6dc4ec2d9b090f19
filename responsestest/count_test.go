package responsestest_test

import (
	"context"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/tidwall/gjson"

	rt "github.com/codex-proxy/codex-proxy/responsestest"
)

func answer(id string) rt.Response { return rt.Stream(rt.Created(id), rt.Completed(id)) }

func TestSequencePlaysInOrder(t *testing.T) {
	tb := new(fakeTB)
	srv := rt.NewServer(tb)
	m := srv.Sequence(answer("a"), answer("b"))
	for _, id := range []string{"a", "b"} {
		status, body := call(t, srv, `{"model":"m"}`)
		if want := string(rt.SSE(answer(id).Events...)); status != http.StatusOK || body != want {
			t.Errorf("call = %d %q; want 200 %q", status, body, want)
		}
	}
	if m.Calls() != 2 || len(m.Requests()) != 2 || len(srv.Requests()) != 2 {
		t.Errorf("recorded %d, %d, %d; want 2 each", m.Calls(), len(m.Requests()), len(srv.Requests()))
	}
	wantFailures(t, tb.end())
}

func TestSequenceCalledTooOften(t *testing.T) {
	tb := new(fakeTB)
	srv := rt.NewServer(tb)
	srv.Sequence(answer("a"))
	call(t, srv, `{}`)
	status, body := call(t, srv, `{"model":"gpt-x","input":[{"type":"message"}]}`)
	if status != http.StatusInternalServerError || !strings.Contains(gjson.Get(body, "error.message").String(), "unexpected call 2") {
		t.Errorf("call = %d %s; want 500 that says so", status, body)
	}
	wantFailures(t, tb.end(), `unexpected call 2: POST /v1/responses (46 bytes, model "gpt-x", 1 input items)`)
	if !strings.Contains(tb.errors[0], "sequence of 1 mounted at count_test.go:") ||
		!strings.Contains(tb.errors[0], "got 1 call; want exactly 1") {
		t.Errorf("failure = %q; want it to tell what was expected", tb.errors[0])
	}
	if err := srv.Err(); err == nil || err.Error() != tb.errors[0] {
		t.Errorf("Err() = %v; want %q", err, tb.errors[0])
	}
}

func TestSequenceCalledTooSeldom(t *testing.T) {
	tb := new(fakeTB)
	srv := rt.NewServer(tb)
	srv.Sequence(answer("a"), answer("b"), answer("c"))
	call(t, srv, `{"model":"gpt-x"}`)
	wantFailures(t, tb.end(), "got 1 call; want exactly 3; arrived:\n\tcall 1: POST /v1/responses (17 bytes, model \"gpt-x\")")
}

func TestExpectedCalls(t *testing.T) {
	match := func(r *rt.Request) bool { return r.JSON("model").Str == "m" }
	for _, tt := range []struct {
		name  string
		mount func(*rt.Server)
		calls int
		want  []string
	}{
		{"once, called once", func(s *rt.Server) { s.Once(answer("a")) }, 1, nil},
		{"once, never called", func(s *rt.Server) { s.Once(answer("a")) }, 0, []string{"answer once mounted at count_test.go:"}},
		{"once, called twice", func(s *rt.Server) { s.Once(answer("a")) }, 2, []string{"unexpected call 2"}},
		{"any, never called", func(s *rt.Server) { s.Any(answer("a")) }, 0, nil},
		{"any, called often", func(s *rt.Server) { s.Any(answer("a")) }, 5, nil},
		{"any twice, called once", func(s *rt.Server) { s.Any(answer("a")).Times(2) }, 1, []string{"got 1 call; want exactly 2"}},
		{"never, called", func(s *rt.Server) { s.Any(answer("a")).Times(0) }, 1, []string{"unexpected call 1"}},
		{"at least two, called once", func(s *rt.Server) { s.Any(answer("a")).AtLeast(2) }, 1, []string{"want at least 2"}},
		{"at least two, called thrice", func(s *rt.Server) { s.Any(answer("a")).AtLeast(2) }, 3, nil},
		{"match", func(s *rt.Server) { s.Match(match, answer("a")).Times(2) }, 2, nil},
		{"no match", func(s *rt.Server) { s.Match(func(*rt.Request) bool { return false }, answer("a")) }, 1, []string{"unexpected call 1"}},
		{"nothing mounted", func(*rt.Server) {}, 1, []string{"nothing is mounted"}},
		{"once, then any", func(s *rt.Server) { s.Once(answer("a")); s.Any(answer("b")) }, 3, nil},
		{"sequence twice over", func(s *rt.Server) { s.Sequence(answer("a"), answer("b")).Times(4) }, 4, nil},
		{"empty sequence", func(s *rt.Server) { s.Sequence() }, 0, nil},
		{"function", func(s *rt.Server) { s.Func(func(*rt.Request) rt.Response { return answer("a") }).Times(1) }, 1, nil},
		{"body that is no JSON", func(s *rt.Server) { s.Once(rt.JSON(200, math.NaN())) }, 1, []string{"response 1: encode JSON response", "call 1: encode JSON response"}},
		{"encoding that is none", func(s *rt.Server) { s.Any(rt.Response{Encoding: "br"}) }, 0, []string{`unknown encoding "br"`}},
		{"status that is not final", func(s *rt.Server) { s.Any(rt.Response{Status: 101}) }, 0, []string{"status 101"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tb := new(fakeTB)
			srv := rt.NewServer(tb)
			tt.mount(srv)
			for range tt.calls {
				call(t, srv, `{"model":"m"}`)
			}
			wantFailures(t, tb.end(), tt.want...)
		})
	}
}

func TestFailuresAreBounded(t *testing.T) {
	tb := new(fakeTB)
	srv := rt.NewServer(tb)
	for range 25 {
		call(t, srv, `{}`)
	}
	failures := tb.end()
	if len(failures) != 21 || !strings.Contains(failures[20], "and 5 more failures") {
		t.Errorf("%d failures, the last %q; want 20 and one that counts 5 more", len(failures), failures[len(failures)-1])
	}
	if err := srv.Err(); !strings.HasSuffix(err.Error(), "and 5 more") {
		t.Errorf("Err() = %v; want it to count 5 more", err)
	}
}

func TestConcurrentCalls(t *testing.T) {
	const n = 32
	srv := rt.NewServer(t)
	srv.Match(func(r *rt.Request) bool { return r.JSON("model").Str == "a" }, answer("a")).Times(n)
	resps := make([]rt.Response, n)
	for i := range resps {
		resps[i] = answer("b")
	}
	srv.Sequence(resps...)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { call(t, srv, `{"model":"a"}`) })
		wg.Go(func() { call(t, srv, `{"model":"b"}`) })
	}
	calls, err := srv.Await(t.Context(), 2*n)
	wg.Wait()
	if err != nil || len(calls) != 2*n {
		t.Errorf("Await() = %d calls, %v; want %d", len(calls), err, 2*n)
	}
}

func TestAwaitGivesUp(t *testing.T) {
	srv := rt.NewServer(t)
	srv.Any(answer("a"))
	call(t, srv, `{}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls, err := srv.Await(ctx, 2)
	if len(calls) != 1 || err == nil || !strings.Contains(err.Error(), "await call 2 of 2") {
		t.Errorf("Await() = %d calls, %v; want 1 and an error", len(calls), err)
	}
}

func TestOtherRequestsDoNotCount(t *testing.T) {
	srv := rt.NewServer(t)
	srv.Sequence(answer("a"))
	srv.Route(http.MethodGet, "/v1/mine", rt.JSON(http.StatusOK, map[string]int{"n": 1})).Times(1)
	for _, tt := range []struct {
		method, path string
		header       []string
		status       int
		want         string
	}{
		{http.MethodGet, "/v1/models?client_version=0.169.0", nil, 404, `"no route for GET /v1/models"`},
		{http.MethodPost, "/v1/analytics/codex/turn-costs", nil, 200, `{}`},
		{http.MethodPost, "/v1/responses/compact", nil, 404, `"not_found"`},
		{http.MethodGet, "/v1/responses", nil, 404, `"error"`},
		{http.MethodGet, "/v1/mine", nil, 200, `{"n":1}`},
		{http.MethodGet, "/v1/responses", []string{"Connection", "Upgrade", "Upgrade", "websocket"}, 426, `"error"`},
	} {
		got := exchange(t, srv.Client(), tt.method, srv.URL+tt.path, "", tt.header...)
		if got.status != tt.status || !strings.Contains(got.body, tt.want) || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s = %d %s; want %d with %s", tt.method, tt.path, got.status, got.body, tt.status, tt.want)
		}
	}
	call(t, srv, `{}`)
	if c, o, u := len(srv.Requests()), len(srv.OtherRequests()), len(srv.Upgrades()); c != 1 || o != 5 || u != 1 {
		t.Errorf("%d calls, %d others, %d upgrades; want 1, 5, 1", c, o, u)
	}
	if got := srv.OtherRequests()[0]; got.Path != "/v1/models" || got.RawQuery != "client_version=0.169.0" {
		t.Errorf("path, query = %q, %q", got.Path, got.RawQuery)
	}
}
