package responsestest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	rt "github.com/codex-proxy/codex-proxy/responsestest"
)

func TestAbortedStream(t *testing.T) {
	events := []rt.Event{rt.Created("r"), rt.Raw("data: {\"ty")}
	for _, tt := range []struct {
		name  string
		resp  rt.Response
		cause error
	}{
		{"closed", rt.Response{Events: events, Abort: rt.AbortStream}, io.ErrUnexpectedEOF},
		{"closed in a body", rt.Response{Body: rt.SSE(events...), Abort: rt.AbortStream}, io.ErrUnexpectedEOF},
		{"shorter than its length", rt.Response{Body: rt.SSE(events...), Header: http.Header{"Content-Length": {"999"}}}, io.ErrUnexpectedEOF},
		{"reset", rt.Response{Events: events, Abort: rt.AbortReset}, syscall.ECONNRESET},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := rt.NewServer(t)
			srv.Once(tt.resp)
			resp := post(t, srv)
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if !bytes.Equal(body, rt.SSE(events...)) || !errors.Is(err, tt.cause) {
				t.Errorf("body = %q, %v; want all of it and %v", body, err, tt.cause)
			}
			req := srv.Requests()[0]
			<-req.Done()
			if err := req.Err(); tt.resp.Abort != rt.AbortNone && !errors.Is(err, rt.ErrAborted) {
				t.Errorf("Err() = %v; want %v", err, rt.ErrAborted)
			}
		})
	}
}

func TestAbortBeforeHeaders(t *testing.T) {
	srv := rt.NewServer(t)
	srv.Once(rt.Response{Abort: rt.AbortBeforeHeaders})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.BaseURL()+"/responses", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := srv.Client().Do(req)
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("Do() = %v; want EOF", err)
	}
}

func TestClientLeaves(t *testing.T) {
	srv := rt.NewServer(t)
	gate := rt.NewGate()
	srv.Once(rt.Stream(rt.Created("r"), gate.Stop(), rt.Completed("r")))
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.BaseURL()+"/responses", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-gate.Reached()
	cancel()
	seen := srv.Requests()[0]
	<-seen.Done()
	if err := seen.Err(); !errors.Is(err, rt.ErrClientGone) {
		t.Errorf("Err() = %v; want %v", err, rt.ErrClientGone)
	}
}

func TestCloseEndsWaitingStreams(t *testing.T) {
	tb := new(fakeTB)
	srv := rt.NewServer(tb)
	gate := rt.NewGate()
	srv.Any(rt.Response{Events: []rt.Event{rt.Created("r"), gate.Stop()}})
	srv.Route(http.MethodPost, "/v1/slow", rt.Response{Delay: time.Hour})
	resp := post(t, srv)
	defer resp.Body.Close()
	<-gate.Reached()
	start := time.Now()
	wantFailures(t, tb.end())
	srv.Close()
	if took := time.Since(start); took > time.Second {
		t.Errorf("Close took %v; want it at once", took)
	}
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read = %v; want %v", err, io.ErrUnexpectedEOF)
	}
	if err := srv.Requests()[0].Err(); !errors.Is(err, rt.ErrServerClosed) {
		t.Errorf("Err() = %v; want %v", err, rt.ErrServerClosed)
	}
}

func TestCloseCutsAStuckClient(t *testing.T) {
	tb := new(fakeTB)
	srv := rt.NewServer(tb)
	srv.Any(rt.Response{Body: make([]byte, 64<<20)})
	resp := post(t, srv)
	defer resp.Body.Close()
	wantFailures(t, tb.end())
	if err := srv.Requests()[0].Err(); !errors.Is(err, rt.ErrServerClosed) {
		t.Errorf("Err() = %v; want %v", err, rt.ErrServerClosed)
	}
}
