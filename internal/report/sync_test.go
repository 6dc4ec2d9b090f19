package report

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

const aPrompt = `{"event.name":"user_prompt","conversation.id":"c1","prompt":"hello"}`

// TestHandlerSaysWhetherOnDisk answers after the disk, and with what it said.
func TestHandlerSaysWhetherOnDisk(t *testing.T) {
	for _, test := range []struct {
		name    string
		sync    func(context.Context) (bool, string)
		durable bool
		trouble string
		warned  int64
	}{
		{name: "nothing is meant to be on disk"},
		{name: "memory by choice", sync: func(context.Context) (bool, string) { return false, "" }},
		{name: "on disk", sync: func(context.Context) (bool, string) { return true, "" }, durable: true},
		{name: "full", sync: func(context.Context) (bool, string) { return false, "disk_full" }, trouble: "disk_full", warned: 2},
		{name: "hangs", sync: func(ctx context.Context) (bool, string) { <-ctx.Done(); return false, "timeout" }, trouble: "timeout", warned: 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			recorded := new(memory)
			h := New(Config{Recorder: recorded, SyncTimeout: 20 * time.Millisecond})
			if test.sync != nil {
				h.config.Sync = func(ctx context.Context) (bool, string) {
					if len(recorded.all()) == 0 {
						t.Error("the disk was waited for before anything was recorded")
					}
					return test.sync(ctx)
				}
			}
			answer := post(t, serve(t, h), strings.NewReader(aPrompt), "Content-Type", jsonType)
			if answer.status != http.StatusAccepted || answer.Durable != test.durable || answer.Trouble != test.trouble || answer.Accepted != 1 {
				t.Errorf("POST = %d, %+v; want 202, durable %v, trouble %q", answer.status, answer.Answer, test.durable, test.trouble)
			}
			checkWarning(t, h, protoType, test.trouble)
			if got := h.NotDurable(); got != test.warned {
				t.Errorf("NotDurable() = %d; want %d", got, test.warned)
			}
			if got := len(recorded.all()); got != 2 {
				t.Errorf("%d records; want both, whatever the disk does", got)
			}
		})
	}
}

// checkWarning exports a record and wants a partial success that rejects nothing to tell the trouble.
func checkWarning(t *testing.T, h *Handler, contentType, trouble string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, LogsPath, strings.NewReader("\n\x04\x12\x02\x12\x00"))
	request.Header.Set("Content-Type", contentType)
	recorder := httptest.NewRecorder()
	h.Logs().ServeHTTP(recorder, request)
	body, err := io.ReadAll(recorder.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer := plogotlp.NewExportResponse()
	if err := answer.UnmarshalProto(body); recorder.Code != http.StatusOK || err != nil {
		t.Fatalf("POST %s = %d, %v", LogsPath, recorder.Code, err)
	}
	partial := answer.PartialSuccess()
	if partial.RejectedLogRecords() != 0 || strings.Contains(partial.ErrorMessage(), "memory only") != (trouble != "") ||
		!strings.HasSuffix(partial.ErrorMessage(), trouble) {
		t.Errorf("partial success = %d, %q; want a warning of %q", partial.RejectedLogRecords(), partial.ErrorMessage(), trouble)
	}
}

// TestHandlerDoesNotWaitForNothing refuses a request as a whole without a look at the disk.
func TestHandlerDoesNotWaitForNothing(t *testing.T) {
	h, _ := newTest(t, Config{Sync: func(context.Context) (bool, string) {
		t.Error("the disk was waited for")
		return true, ""
	}})
	if answer := post(t, serve(t, h), strings.NewReader(`{}`), "Content-Type", jsonType); answer.status != http.StatusBadRequest || answer.Durable {
		t.Errorf("POST = %d, %+v; want 400", answer.status, answer.Answer)
	}
}
