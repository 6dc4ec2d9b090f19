package report

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
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
