package report

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

const (
	protoType = "application/x-protobuf"
	jsonType  = "application/json"
	goodLog   = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1772366400000000000","eventName":"hello"}]}]}]}`
)

// jsonLogs returns a request with those records.
func jsonLogs(records ...string) string {
	return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + strings.Join(records, ",") + `]}]}]}`
}

func TestLogsTransport(t *testing.T) {
	gz := gzipped(t, goodLog)
	for _, test := range []struct {
		name     string
		body     string
		headers  []string
		status   int
		recorded int
		refused  string
	}{
		{name: "json", body: goodLog, headers: []string{"Content-Type", jsonType}, status: 200, recorded: 1},
		{name: "json with a charset", body: goodLog, headers: []string{"Content-Type", "application/json; charset=UTF-8"}, status: 200, recorded: 1},
		{name: "json, nothing in it", body: `{}`, headers: []string{"Content-Type", jsonType}, status: 200},
		{name: "json, null lists", body: `{"resourceLogs":null}`, headers: []string{"Content-Type", jsonType}, status: 200},
		{name: "json, unknown members", body: `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"x":{"y":[1]}}],"z":1}]}],"w":null}`, headers: []string{"Content-Type", jsonType}, status: 200, recorded: 1},
		{name: "protobuf, empty", body: "", headers: []string{"Content-Type", protoType}, status: 200},
		{name: "protobuf", body: "\n\x04\x12\x02\x12\x00", headers: []string{"Content-Type", protoType}, status: 200, recorded: 1},
		{name: "protobuf, unknown fields", body: "\x9a\x06\x01x\n\x08\x12\x06\x12\x00\x9a\x06\x01x", headers: []string{"Content-Type", protoType}, status: 200, recorded: 1},
		{name: "gzip", body: gz, headers: []string{"Content-Type", jsonType, "Content-Encoding", "gzip"}, status: 200, recorded: 1},
		{name: "json, empty", body: "", headers: []string{"Content-Type", jsonType}, status: 400, refused: "syntax"},
		{name: "json, broken", body: goodLog[:30], headers: []string{"Content-Type", jsonType}, status: 400, refused: "syntax"},
		{name: "json, an array", body: `[]`, headers: []string{"Content-Type", jsonType}, status: 400, refused: "syntax"},
		{name: "json, no list", body: `{"resourceLogs":{}}`, headers: []string{"Content-Type", jsonType}, status: 400, refused: "syntax"},
		{name: "json, no objects", body: `{"resourceLogs":[1]}`, headers: []string{"Content-Type", jsonType}, status: 400, refused: "syntax"},
		{name: "json as protobuf", body: goodLog, headers: []string{"Content-Type", protoType}, status: 400, refused: "syntax"},
		{name: "protobuf, cut short", body: "\n\x04\x12\x02\x12", headers: []string{"Content-Type", protoType}, status: 400, refused: "syntax"},
		{name: "protobuf, broken inside", body: "\n\x04\x12\x02\x12\x07", headers: []string{"Content-Type", protoType}, status: 400, refused: "syntax"},
		{name: "gzip, not so", body: goodLog, headers: []string{"Content-Type", jsonType, "Content-Encoding", "gzip"}, status: 400, refused: "read"},
		{name: "no type", body: goodLog, status: 415, refused: "media_type"},
		{name: "text", body: goodLog, headers: []string{"Content-Type", "text/plain"}, status: 415, refused: "media_type"},
		{name: "zstd", body: goodLog, headers: []string{"Content-Type", jsonType, "Content-Encoding", "zstd"}, status: 415, refused: "media_type"},
		{name: "too large", body: goodLog + strings.Repeat(" ", 4096), headers: []string{"Content-Type", jsonType}, status: 413, refused: "too_large"},
		{name: "inflates too far", body: gzipped(t, goodLog+strings.Repeat(" ", 1<<20)), headers: []string{"Content-Type", jsonType, "Content-Encoding", "gzip"}, status: 413, refused: "too_large"},
		{name: "too many", body: jsonLogs("{}", "{}", "{}", "{}"), headers: []string{"Content-Type", jsonType}, status: 413, refused: "too_many"},
		{name: "too many in protobuf", body: "\n\x0a\x12\x08" + strings.Repeat("\x12\x00", 4), headers: []string{"Content-Type", protoType}, status: 413, refused: "too_many"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, recorded := newTest(t, Config{MaxBodyBytes: 4096, MaxItems: 3})
			got := postLogs(t, h, []byte(test.body), test.headers...)
			if got.status != test.status || len(recorded.all()) != test.recorded {
				t.Errorf("POST = %d %q, %d recorded; want %d, %d", got.status, got.body, len(recorded.all()), test.status, test.recorded)
			}
			for reason, n := range h.LogStats().Refused {
				if want := reason == test.refused; (n == 1) != want {
					t.Errorf("Refused[%s] = %d; want it only for %q", reason, n, test.refused)
				}
			}
			if test.status != http.StatusOK {
				checkStatus(t, got, strings.Join(test.headers, " "))
			}
		})
	}
}

// checkStatus checks that a refusal is a google.rpc.Status in the request's encoding.
func checkStatus(t *testing.T, got logsReply, headers string) {
	t.Helper()
	want := jsonType
	if strings.Contains(headers, protoType) {
		want = protoType
	}
	if contentType := got.header.Get("Content-Type"); contentType != want {
		t.Errorf("Content-Type = %q; want %q", contentType, want)
	}
	var code int32
	var message string
	if want == protoType {
		told := status.New(codes.OK, "").Proto()
		if err := proto.Unmarshal(got.body, told); err != nil {
			t.Fatal(err)
		}
		code, message = told.GetCode(), told.GetMessage()
	} else {
		var told struct {
			Code    int32
			Message string
		}
		decodeJSON(t, got.body, &told)
		code, message = told.Code, told.Message
	}
	if code == 0 || !strings.HasPrefix(message, "want ") {
		t.Errorf("Status = %d %q; want a code and what was expected", code, message)
	}
}

func TestLogsPartialSuccess(t *testing.T) {
	deep := strings.Repeat(`{"arrayValue":{"values":[`, 40) + strings.Repeat(`]}}`, 40)
	body := jsonLogs(
		`{"eventName":"good"}`,
		`{"attributes":[{"key":"a","value":{"intValue":"many"}}]}`,
		`{"body":`+deep+`}`,
		`{"body":{"stringValue":"`+strings.Repeat("x", 5000)+`"}}`,
		`{"eventName":"good, too"}`,
	)
	decoded := plogotlp.NewExportRequest()
	for _, encoding := range []string{jsonType, protoType} {
		raw, rejected := []byte(body), int64(3)
		if encoding == protoType {
			// There is no number that is none in protobuf.
			if err := decoded.UnmarshalJSON([]byte(strings.Replace(body, "many", "5", 1))); err != nil {
				t.Fatal(err)
			}
			rejected = 2
			var err error
			if raw, err = decoded.MarshalProto(); err != nil {
				t.Fatal(err)
			}
		}
		h, recorded := newTest(t, Config{MaxFieldBytes: 2048})
		got := postLogs(t, h, raw, "Content-Type", encoding)
		response := plogotlp.NewExportResponse()
		err := response.UnmarshalProto(got.body)
		if encoding == jsonType {
			err = response.UnmarshalJSON(got.body)
		}
		if err != nil || got.status != http.StatusOK || got.header.Get("Content-Type") != encoding {
			t.Fatalf("POST = %d %q %v; want 200 and an answer in %s", got.status, got.body, err, encoding)
		}
		partial := response.PartialSuccess()
		if partial.RejectedLogRecords() != rejected || !strings.Contains(partial.ErrorMessage(), "size: 1, nesting: 1") {
			t.Errorf("%s: %d rejected, %q; want %d and why", encoding, partial.RejectedLogRecords(), partial.ErrorMessage(), rejected)
		}
		if got := len(recorded.all()); got != int(5-rejected) {
			t.Errorf("%s: %d recorded; want the good ones", encoding, got)
		}
		stats := h.LogStats()
		if stats.Rejected["size"] != 1 || stats.Rejected["nesting"] != 1 || stats.Rejected["syntax"] != rejected-2 || stats.Foreign != 5-rejected {
			t.Errorf("LogStats() = %+v; want each once", stats)
		}
	}
}

func TestLogsMethods(t *testing.T) {
	h, _ := newTest(t, Config{})
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodOptions, http.MethodDelete} {
		recorder := httptest.NewRecorder()
		h.Logs().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, LogsPath, http.NoBody))
		if recorder.Code != http.StatusMethodNotAllowed || recorder.Header().Get("Allow") != "POST" {
			t.Errorf("%s = %d, Allow %q; want 405, POST", method, recorder.Code, recorder.Header().Get("Allow"))
		}
	}
	if got := h.LogStats().Refused["method"]; got != 5 {
		t.Errorf("Refused[method] = %d; want 5", got)
	}
}

func TestLogsSlowBody(t *testing.T) {
	h, recorded := newTest(t, Config{ReadTimeout: 50 * time.Millisecond})
	server := httptest.NewServer(h.Logs())
	defer server.Close()
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() { _, _ = fmt.Fprint(writer, goodLog[:20]) }()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, reader)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", jsonType)
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestTimeout || len(recorded.all()) != 0 {
		t.Errorf("POST = %d; want 408", response.StatusCode)
	}
}
