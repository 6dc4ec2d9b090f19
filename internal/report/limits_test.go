package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestHandlerBodyLimit(t *testing.T) {
	item := func(size int) string {
		frame := `{"event.name":"tool_result","conversation.id":"c1","tool_name":"t","success":true,"output":""}`
		return strings.Replace(frame, `put":""`, `put":"`+strings.Repeat("a", size-len(frame))+`"`, 1)
	}
	const limit = 4096
	for _, test := range []struct {
		name    string
		size    int
		chunked bool
		gzip    bool
		status  int
	}{
		{name: "at the limit", size: limit, status: 202},
		{name: "past the limit", size: limit + 1, status: 413},
		{name: "past the limit, length not told", size: limit + 1, chunked: true, status: 413},
		{name: "inflates to the limit", size: limit, gzip: true, status: 202},
		{name: "inflates past the limit", size: limit + 1, gzip: true, status: 413},
		{name: "inflates to sixteen megabytes", size: 16 << 20, gzip: true, status: 413},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, recorded := newTest(t, Config{MaxBodyBytes: limit})
			body, headers := item(test.size), []string(nil)
			if test.gzip {
				body, headers = gzipped(t, body), []string{"Content-Encoding", "gzip"}
			}
			var reader io.Reader = strings.NewReader(body)
			if test.chunked {
				reader = io.MultiReader(reader)
			}
			answer := post(t, serve(t, h), reader, headers...)
			want := 0
			if test.status == 202 {
				want = 1
			}
			if answer.status != test.status || answer.Accepted != want || len(recorded.all()) != want {
				t.Errorf("POST = %d, %+v, %d recorded; want %d, %d", answer.status, answer.Answer, len(recorded.all()), test.status, want)
			}
			if got := h.Stats().Refused["too_large"]; got != int64(1-want) {
				t.Errorf("Refused[too_large] = %d; want %d", got, 1-want)
			}
		})
	}
}

func TestHandlerInflationMemory(t *testing.T) {
	bomb := gzipped(t, "["+strings.Repeat(" ", 16<<20)+"]")
	h, _ := newTest(t, Config{MaxBodyBytes: 256 << 10})
	const rounds = 8
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range rounds {
		request, recorder := newExchange(bomb, "gzip")
		h.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusRequestEntityTooLarge {
			t.Fatalf("status = %d; want 413", recorder.Code)
		}
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / rounds; got > 4<<20 {
		t.Errorf("refusing a bomb took %d bytes; want it bounded by the body limit", got)
	}
}

func TestHandlerItemLimit(t *testing.T) {
	h, recorded := newTest(t, Config{MaxItems: 3})
	server := serve(t, h)
	for _, test := range []struct {
		items  int
		lines  bool
		status int
	}{{3, false, 202}, {4, false, 413}, {3, true, 202}, {4, true, 413}} {
		before := len(recorded.all())
		body := "[" + strings.Repeat(goodItem+",", test.items-1) + goodItem + "]"
		if test.lines {
			body = strings.Repeat(goodItem+"\n", test.items)
		}
		answer := post(t, server, strings.NewReader(body))
		if answer.status != test.status {
			t.Errorf("%d items = %d; want %d", test.items, answer.status, test.status)
		}
		if got := len(recorded.all()) - before; test.status == 413 && got != 0 {
			t.Errorf("%d items recorded of a refused request; want 0", got)
		}
	}
	if got := h.Stats().Refused["too_many"]; got != 2 {
		t.Errorf("Refused[too_many] = %d; want 2", got)
	}
}

func TestHandlerErrorsBounded(t *testing.T) {
	h, _ := newTest(t, Config{})
	body := goodItem + "\n" + strings.Repeat("{}\n", 250)
	answer := post(t, serve(t, h), strings.NewReader(body), "Content-Type", "application/jsonl")
	if answer.Rejected != 250 || len(answer.Errors) != 100 || answer.ErrorsOmitted != 150 {
		t.Errorf("rejected, errors, omitted = %d, %d, %d; want 250, 100, 150", answer.Rejected, len(answer.Errors), answer.ErrorsOmitted)
	}
}

func TestHandlerSlowBody(t *testing.T) {
	h, recorded := newTest(t, Config{ReadTimeout: 50 * time.Millisecond})
	server := serve(t, h)
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() { _, _ = fmt.Fprint(writer, goodItem[:20]) }()
	answer := post(t, server, reader)
	if answer.status != http.StatusRequestTimeout || len(recorded.all()) != 0 {
		t.Errorf("POST = %d, %+v; want 408", answer.status, answer.Answer)
	}
	if got := h.Stats().Refused["timeout"]; got != 1 {
		t.Errorf("Refused[timeout] = %d; want 1", got)
	}
}

// TestHandlerSlowBodyOfKnownLength is the same for a body of which the server knows how much is to come.
func TestHandlerSlowBodyOfKnownLength(t *testing.T) {
	h, _ := newTest(t, Config{ReadTimeout: 50 * time.Millisecond})
	server := serve(t, h)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", EventsPath)
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusRequestTimeout {
		t.Errorf("answer = %d, %v; want 408", response.StatusCode, err)
	}
	if rest, err := io.ReadAll(r); len(rest) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("then came %q, %v; want the end of the connection", rest, err)
	}
}

func TestHandlerDeepNesting(t *testing.T) {
	h, _ := newTest(t, Config{})
	server := serve(t, h)
	for _, depth := range []int{100, 9000, 200_000} {
		nested := strings.Repeat("[", depth) + strings.Repeat("]", depth)
		item := `{"event.name":"user_prompt","conversation.id":"c1","prompt":` + nested + `}`
		answer := post(t, server, strings.NewReader(goodItem+"\n"+item), "Content-Type", "application/jsonl")
		if answer.status != http.StatusAccepted || answer.Rejected != 1 {
			t.Errorf("depth %d = %d, %+v; want one item of two rejected", depth, answer.status, answer.Answer)
		}
		if answer := post(t, server, strings.NewReader("["+item+"]")); answer.status != http.StatusBadRequest {
			t.Errorf("depth %d alone = %d; want 400", depth, answer.status)
		}
	}
}
