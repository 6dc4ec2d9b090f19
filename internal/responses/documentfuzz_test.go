package responses

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
)

// FuzzDocument has responses that are one document, whole and cut.
func FuzzDocument(f *testing.F) {
	const usage = `"usage":{"input_tokens":345,"output_tokens":67,"total_tokens":412,"output_tokens_details":{"reasoning_tokens":5}}`
	for i, body := range []string{
		`{"id":"r1","status":"completed","output":[{"type":"message"}],` + usage + `,"user":null}`,
		`{"id":"r1","status":"failed","error":{"message":"no"},"usage":null}`, `{"status":"queued",` + usage + `}`,
		`{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},` + usage + `}`,
		`{"id":"c1","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3}}`, `{"tools":[{` + usage + `}]}`,
		`{"usage":{"input_tokens":99999999999999999999,"output_tokens":-1}}`, `[{` + usage + `}]`, `{"usage":{"input_tokens":12`,
	} {
		for mode := range uint32(4) {
			f.Add(body, 8*mode, uint16(20+i), uint16(100))
		}
		f.Add(body, 2*4*8+uint32(i%8), uint16(1000), uint16(100))
		f.Add(body, uint32(0), uint16(80), uint16(30))
	}
	f.Fuzz(func(t *testing.T, body string, mode uint32, head, tail uint16) {
		w, whole := wayOf(mode), slices.Clip([]byte(body))
		read := func(body, tail []byte) *tape {
			turn, records, items := w.turn(DetailAll)
			end := w.ending
			end.At, end.Unread = time.Unix(1100, 0), w.unread
			turn.Document(body, tail, end)
			if len(*records) > 1 || len(records.ends()) != len(*records) || items.asked > 1 {
				t.Errorf("Document(%q, %q) records %+v, asks %d times", body, tail, *records, items.asked)
			}
			if !w.charged() && len(records.usages()) > 0 {
				t.Errorf("tokens are told that others tell")
			}
			records.checkIDs(t)
			return records
		}
		got := read(whole, nil)
		if serdeError(whole, numbersExact) != "" {
			return // What was in it is anybody's guess.
		}
		checkDocument(t, w, got, whole)
		for _, told := range read(cut(whole, head, tail)).usages() {
			if !slices.ContainsFunc(spelledAll(whole, 1), func(u events.Usage) bool { return sameTokens(u, told) }) {
				t.Errorf("of %q, cut to %d and %d bytes, %+v is told", body, head, tail, told)
			}
		}
	})
}

// checkDocument holds what was told of a whole document against it.
func checkDocument(t *testing.T, w way, got *tape, body []byte) {
	t.Helper()
	names, values := parts(body)
	want := spelled(latest(names, values, "usage"))
	if len(*got) > 0 {
		if diff := cmp.Diff(want, got.ends()[0].Usage); diff != "" {
			t.Errorf("tokens of %q (-want +got):\n%s", body, diff)
		}
		return
	}
	var status string
	if times(names, "status") > 1 || want == nil || !w.charged() || w.unread || w.ending.By != "completed" {
		return
	}
	if raw := latest(names, values, "status"); raw != nil && unmarshal(raw, &status) != nil {
		status = "not a text"
	}
	if status == "queued" || status == "in_progress" || w.endpoint.Stored && status == "" {
		return
	}
	t.Errorf("nothing is told of %q", body)
}
