package report

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
)

// newExchange returns a request for the handler and where its answer goes.
func newExchange(body, encoding string) (*http.Request, *httptest.ResponseRecorder) {
	request := httptest.NewRequest(http.MethodPost, EventsPath, strings.NewReader(body))
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	return request, httptest.NewRecorder()
}

func FuzzReport(f *testing.F) {
	types := []string{"", "application/json", "application/x-ndjson"}
	for _, row := range itemRows() {
		if len(row.item) < 1<<13 {
			f.Add(row.item, uint8(0), false)
		}
	}
	files, err := filepath.Glob("testdata/*.*json")
	if err != nil {
		f.Fatal(err)
	}
	for i, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(body), uint8(i), false)
		f.Add(gzipped(f, string(body)), uint8(i), true)
	}
	root := newChecker(f, New(Config{}).openAPI)
	f.Fuzz(func(t *testing.T, body string, mediaType uint8, gzip bool) {
		h, recorded := newTest(t, Config{MaxBodyBytes: 1 << 16, MaxFieldBytes: 1 << 12, MaxItems: 50})
		encoding := ""
		if gzip {
			encoding = "gzip"
		}
		request, recorder := newExchange(body, encoding)
		if name := types[int(mediaType)%len(types)]; name != "" {
			request.Header.Set("Content-Type", name)
		}
		h.ServeHTTP(recorder, request)
		var answer Answer
		if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
			t.Fatalf("decode answer: %v", err)
		}
		records := recorded.all()
		switch {
		case len(records) != answer.Accepted:
			t.Errorf("recorded %d, accepted %d; want the same", len(records), answer.Accepted)
		case (recorder.Code == 202) != (answer.Accepted > 0), (recorder.Code == 202) != (answer.Error == ""):
			t.Errorf("status %d with %+v", recorder.Code, answer)
		case recorder.Code != 202 && (recorder.Code < 400 || recorder.Code > 499):
			t.Errorf("status = %d; want 202 or 4xx", recorder.Code)
		case answer.Rejected > 0 != (len(answer.Errors) > 0):
			t.Errorf("%d rejected with %d errors", answer.Rejected, len(answer.Errors))
		}
		checkStats(t, h.Stats(), answer, recorder.Code)
		encoder := &events.Encoder{}
		for _, record := range records {
			if record.Scope == nil || record.Scope.Resource == nil || record.ID == "" || record.Source != events.SourceAgent {
				t.Fatalf("record %+v lacks its surroundings", record)
			}
			encoder.Expand(record, func(r events.Record) {
				if len(encoder.Attributes(nil, r)) < 5 {
					t.Errorf("record %+v has few attributes", r)
				}
			})
		}
		if !gzip && answer.Accepted == 1 && answer.Rejected == 0 {
			if problem := root.checkText("Batch", strings.TrimPrefix(body, "\uFEFF")); problem != "" {
				t.Errorf("the handler accepts what the schema does not: %s", problem)
			}
		}
	})
}

func checkStats(t *testing.T, stats Stats, answer Answer, status int) {
	t.Helper()
	sum := func(counts map[string]int64) (total int64) {
		for _, n := range counts {
			total += n
		}
		return total
	}
	if got := sum(stats.Accepted); got != int64(answer.Accepted) {
		t.Errorf("Stats accepted = %d; want %d", got, answer.Accepted)
	}
	if got := sum(stats.Rejected); got != int64(answer.Rejected) {
		t.Errorf("Stats rejected = %d; want %d", got, answer.Rejected)
	}
	if got := sum(stats.Refused); (got == 1) != (status != 202) {
		t.Errorf("Stats refused = %d with status %d", got, status)
	}
}
