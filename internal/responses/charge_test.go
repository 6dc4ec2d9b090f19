package responses_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

const spent = `"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}`

// reading returns a Turn for a response that comes from an endpoint.
func reading(l *listener, method, path string, background bool) (*responses.Turn, *journal) {
	records := new(journal)
	return responses.NewTurn(responses.TurnConfig{
		Recorder: records, Scope: &events.Scope{}, ExchangeID: "x", Start: start, Items: l,
		Endpoint: responses.EndpointOf(method, path), Request: &responses.Request{Background: background},
	}), records
}

// A stored response is told by a document that shows it at its end, unless it was
// told.
func TestTurnStoredDocument(t *testing.T) {
	const head = `{"id":"resp_1","object":"response","created_at":900,"background":true,`
	tests := map[string]struct {
		document string
		want     []string
	}{
		"queued":                   {head + `"status":"queued","usage":null}`, nil},
		"in progress":              {head + `"status":"in_progress",` + spent + `}`, nil},
		"completed":                {head + `"status":"completed",` + spent + `}`, []string{"response.completed|5||1//2//3|completed"}},
		"completed without tokens": {head + `"status":"completed"}`, nil},
		"failed":                   {head + `"status":"failed","error":{"message":"no"},"usage":null}`, []string{"response.failed|5|no|completed"}},
		"failed with tokens":       {head + `"status":"failed",` + spent + `}`, []string{"response.failed|5|the response failed|1//2//3|completed"}},
		"canceled":                 {head + `"status":"cancelled","usage":null}`, nil},
		"canceled with tokens":     {head + `"status":"cancelled",` + spent + `}`, []string{"response.cancelled|5||1//2//3|completed"}},
		"something else":           {`{"object":"list",` + spent + `}`, nil},
		"no JSON":                  {"<html>", nil},
		"incomplete": {
			head + `"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},` + spent + `}`,
			[]string{"response.incomplete|5|Incomplete response returned, reason: max_output_tokens|1//2//3|completed"},
		},
	}
	end := responses.Ending{By: "completed", At: start.Add(5 * time.Millisecond)}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for method, path := range map[string]string{"GET": "/responses/resp_1", "POST": "/responses/resp_1/cancel"} {
				turn, records := reading(new(listener), method, path, false)
				turn.Document([]byte(test.document), nil, end)
				if diff := cmp.Diff(test.want, records.lines()); diff != "" {
					t.Errorf("%s: records (-want +got):\n%s", path, diff)
				}
				turn, records = reading(&listener{paid: true}, method, path, false)
				turn.Document([]byte(test.document), nil, end)
				if got := records.lines(); len(got) > 0 {
					t.Errorf("%s: records of what was told = %q; want none", path, got)
				}
			}
		})
	}
}

// A stream that shows again what was told has its events and no tokens.
func TestTurnStoredStream(t *testing.T) {
	for kind, want := range map[string]string{
		"response.completed":  "response.completed|0||completed",
		"response.incomplete": "response.completed||Incomplete response returned, reason: unknown|upstream",
	} {
		turn, records := reading(&listener{paid: true}, "GET", "/responses/resp_1", false)
		sse(turn, kind, `{"type":"`+kind+`","response":{"id":"resp_1",`+spent+`}}`, start)
		turn.End(responses.Ending{By: "upstream", At: start})
		if got := records.lines(); got[len(got)-1] != want {
			t.Errorf("the end is told as %q; want %q", got, want)
		}
	}
}

// What a response says of itself decides whether it is told after a restart, and
// whether another process may tell the same.
func TestTurnCharge(t *testing.T) {
	tests := map[string]struct {
		method, path string
		background   bool
		says         string
		want         responses.Charge
		own          bool // the record has the id of the fact
	}{
		"made":                   {"POST", "/responses", false, `"background":false,"created_at":900,`, responses.Charge{Foreground: true, Created: time.Unix(900, 0)}, false},
		"made, says nothing":     {"POST", "/responses", false, "", responses.Charge{Foreground: true}, false},
		"made in the background": {"POST", "/responses", true, "", responses.Charge{}, true},
		"read":                   {"GET", "/responses/resp_1", false, `"background":false,`, responses.Charge{Foreground: true}, false},
		"read, says nothing":     {"GET", "/responses/resp_1", false, "", responses.Charge{}, true},
		"read, background":       {"GET", "/responses/resp_1", false, `"background":true,"created_at":"no",`, responses.Charge{}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.want.ResponseID, test.want.At = "resp_1", start
			response := `{"id":"resp_1","status":"completed",` + test.says + spent + `}`
			document, stream := new(listener), new(listener)
			turn, records := reading(document, test.method, test.path, test.background)
			turn.Document([]byte(response), nil, responses.Ending{By: "completed", At: start})
			turn, streamed := reading(stream, test.method, test.path, test.background)
			sse(turn, "response.completed", `{"type":"response.completed","response":`+response+`}`, start)
			for _, l := range []*listener{document, stream} {
				if diff := cmp.Diff([]responses.Charge{test.want}, l.charges); diff != "" {
					t.Errorf("charges (-want +got):\n%s", diff)
				}
			}
			for _, record := range append(*records, *streamed...) {
				if own := record.ID == events.TokensID("resp_1"); own != test.own {
					t.Errorf("id = %q; want that of the tokens: %t", record.ID, test.own)
				}
			}
		})
	}
}
