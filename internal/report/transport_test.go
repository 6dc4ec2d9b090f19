package report

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

const goodItem = `{"event.name":"user_prompt","conversation.id":"c1","prompt":"hi"}`

func gzipped(tb testing.TB, body string) string {
	tb.Helper()
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	if _, err := io.WriteString(writer, body); err != nil {
		tb.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		tb.Fatal(err)
	}
	return buffer.String()
}

func TestHandlerTransport(t *testing.T) {
	gz := gzipped(t, goodItem)
	for _, test := range []struct {
		name     string
		body     string
		headers  []string
		status   int
		accepted int
		rejected int
		error    string
		refused  string
	}{
		{name: "no type, object", body: goodItem, status: 202, accepted: 1},
		{name: "no type, object over lines", body: "\n{\n\"event.name\":\"user_prompt\",\n\"conversation.id\":\"c1\",\"prompt\":\"{\"}", status: 202, accepted: 1},
		{name: "no type, array", body: " [" + goodItem + "]", status: 202, accepted: 1},
		{name: "no type, lines", body: goodItem + "\n" + goodItem, status: 202, accepted: 2},
		{name: "no type, byte order mark", body: "\uFEFF" + goodItem, status: 202, accepted: 1},
		{name: "no type, neither", body: "hello", status: 400, error: "want JSON: invalid character 'h' looking for beginning of value at byte 1", refused: "syntax"},
		{name: "lines", body: goodItem + "\r\n\r\n" + goodItem + "\n", headers: []string{"Content-Type", "application/x-ndjson"}, status: 202, accepted: 2},
		{name: "lines, one broken", body: goodItem + "\n{\"event.name\n", headers: []string{"Content-Type", "application/jsonl"}, status: 202, accepted: 1, rejected: 1},
		{name: "lines, all broken", body: "{\n}\n", headers: []string{"Content-Type", "application/jsonl"}, status: 400, rejected: 2, error: "every item was rejected", refused: "items"},
		{name: "array in a line", body: "[" + goodItem + "]", headers: []string{"Content-Type", "application/jsonl"}, status: 400, rejected: 1, error: "every item was rejected", refused: "items"},
		{name: "array, one broken", body: "[" + goodItem + ",{]", headers: []string{"Content-Type", "application/json"}, status: 400, error: "want JSON: invalid character ']' looking for beginning of object key string at byte 69", refused: "syntax"},
		{name: "array cut short", body: "[" + goodItem, status: 400, error: "want JSON: unexpected end of JSON input at byte 66", refused: "syntax"},
		{name: "array of others", body: `[1,null,"a",[],{}]`, status: 400, rejected: 5, error: "every item was rejected", refused: "items"},
		{name: "empty array", body: "[ ]", status: 400, error: "want at least one item, got an empty array", refused: "empty"},
		{name: "number", body: "5", status: 400, error: "want a JSON object, an array of objects or one object a line, got a number", refused: "syntax"},
		{name: "empty", body: "", status: 400, error: "want at least one item, got an empty body", refused: "empty"},
		{name: "blank", body: " \n", headers: []string{"Content-Type", "application/x-ndjson"}, status: 400, error: "want at least one item, got an empty body", refused: "empty"},
		{name: "lines as json", body: goodItem + "\n" + goodItem, headers: []string{"Content-Type", "application/json"}, status: 400, error: "want JSON: invalid character '{' after top-level value at byte 67; send one object a line as application/x-ndjson", refused: "syntax"},
		{name: "form", body: goodItem, headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: 415, error: "want Content-Type application/json", refused: "media_type"},
		{name: "plain text", body: goodItem, headers: []string{"Content-Type", "text/plain"}, status: 415, error: "want Content-Type application/json", refused: "media_type"},
		{name: "broken type", body: goodItem, headers: []string{"Content-Type", "application/json; charset"}, status: 415, error: "want Content-Type application/json", refused: "media_type"},
		{name: "other charset", body: goodItem, headers: []string{"Content-Type", "application/json; charset=latin1"}, status: 415, error: "want Content-Type application/json", refused: "media_type"},
		{name: "gzip", body: gz, headers: []string{"Content-Encoding", "GZIP"}, status: 202, accepted: 1},
		{name: "identity", body: goodItem, headers: []string{"Content-Encoding", "identity"}, status: 202, accepted: 1},
		{name: "gzip, empty", body: "", headers: []string{"Content-Encoding", "gzip"}, status: 400, error: "want at least one item, got an empty body", refused: "empty"},
		{name: "gzip, not so", body: goodItem, headers: []string{"Content-Encoding", "gzip"}, status: 400, error: "want a gzip body, as Content-Encoding says", refused: "read"},
		{name: "gzip, cut short", body: gz[:len(gz)-6], headers: []string{"Content-Encoding", "gzip"}, status: 400, error: "the body could not be read to its end", refused: "read"},
		{name: "zstd", body: goodItem, headers: []string{"Content-Encoding", "zstd"}, status: 415, error: "want Content-Encoding gzip or none", refused: "media_type"},
		{name: "two keys", body: goodItem, headers: []string{"Idempotency-Key", "a", "Idempotency-Key", "b"}, status: 400, error: "want one Idempotency-Key", refused: "header"},
		{name: "long key", body: goodItem, headers: []string{"Idempotency-Key", strings.Repeat("k", 256)}, status: 400, error: "want one Idempotency-Key", refused: "header"},
		{name: "empty key", body: goodItem, headers: []string{"Idempotency-Key", ""}, status: 400, error: "want one Idempotency-Key", refused: "header"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, recorded := newTest(t, Config{})
			answer := post(t, serve(t, h), strings.NewReader(test.body), test.headers...)
			if answer.status != test.status || answer.Accepted != test.accepted || answer.Rejected != test.rejected {
				t.Errorf("POST = %d, %+v; want %d, %d accepted, %d rejected", answer.status, answer.Answer, test.status, test.accepted, test.rejected)
			}
			if !strings.HasPrefix(answer.Error, test.error) || (test.error == "") != (answer.Error == "") {
				t.Errorf("error = %q; want %q", answer.Error, test.error)
			}
			if got := len(recorded.all()); got != test.accepted {
				t.Errorf("recorded %d; want %d", got, test.accepted)
			}
			for reason, n := range h.Stats().Refused {
				if want := reason == test.refused; (n == 1) != want {
					t.Errorf("Refused[%s] = %d; want it only for %q", reason, n, test.refused)
				}
			}
		})
	}
}

func TestHandlerLineNumbers(t *testing.T) {
	h, _ := newTest(t, Config{})
	body := "\n\n" + goodItem + "\n\n{\"event.name\":1}\n"
	answer := post(t, serve(t, h), strings.NewReader(body), "Content-Type", "application/x-ndjson")
	if len(answer.Errors) != 1 || answer.Errors[0].Item != 1 || answer.Errors[0].Line != 5 {
		t.Errorf("errors = %+v; want item 1 on line 5", answer.Errors)
	}
}

func TestHandlerMethods(t *testing.T) {
	h, _ := newTest(t, Config{})
	server := serve(t, h)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodOptions, http.MethodDelete} {
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+EventsPath, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "POST" {
			t.Errorf("%s = %d, Allow %q; want 405, POST", method, response.StatusCode, response.Header.Get("Allow"))
		}
	}
	if got := h.Stats().Refused["method"]; got != 4 {
		t.Errorf("Refused[method] = %d; want 4", got)
	}
}

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
