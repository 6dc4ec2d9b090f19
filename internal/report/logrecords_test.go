package report

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/redact"
)

// The list of models is asked for before there is a conversation.
func TestLogsOfNoConversation(t *testing.T) {
	models := nativeRecord{Attrs: map[string]any{"event.name": "codex.api_request", "endpoint": "/models", "duration_ms": "3", "success": true}}
	start := nativeRecord{Attrs: map[string]any{"event.name": "codex.startup_phase", "conversation.id": "c1"}}
	for name, test := range map[string]struct {
		scopes Scopes
		want   int
	}{"seen": {known{"c1": &events.Scope{ConversationID: "c1"}}, 1}, "not seen": {known{}, 2}} {
		h, recorded := newTest(t, Config{Scopes: test.scopes})
		export(t, h, []nativeRecord{models, start})
		if got := len(recorded.all()); got != test.want {
			t.Errorf("%s: %d records; want %d", name, got, test.want)
		}
	}
}

// The same bytes are the same facts, also in another process; equal records of
// one request are not.
func TestLogsIDs(t *testing.T) {
	for release, records := range exportedBy(t) {
		var ids [2][]string
		for i := range ids {
			h, recorded := newTest(t, Config{Now: at(t, records)})
			export(t, h, records)
			for _, r := range recorded.all() {
				ids[i] = append(ids[i], r.ID)
			}
		}
		if diff := cmp.Diff(ids[0], ids[1]); diff != "" {
			t.Errorf("%s: ids (-first +second):\n%s", release, diff)
		}
		unique := make(map[string]bool)
		for _, id := range ids[0] {
			unique[id] = true
		}
		if len(unique) != len(records) {
			t.Errorf("%s: %d ids for %d records", release, len(unique), len(records))
		}
	}
}

func TestLogsDecisions(t *testing.T) {
	for told, want := range map[string]string{
		"approved": "approved", "Approved": "approved", "approved_for_session": "approved_for_session", "approvedforsession": "approved_for_session",
		"ApprovedForSession": "approved_for_session", "approved-for-session": "approved_for_session", "Denied": "denied", "abort": "abort",
		"Abort": "abort", "aborted": "abort", "timedout": "timed_out", "TimedOut": "timed_out", "approvedexecpolicyamendment": "approved_with_amendment",
		"approved_with_network_policy_allow": "approved_with_network_policy_allow", "DeniedWithNetworkPolicyDeny": "denied_with_network_policy_deny",
		"Something New": "Something New", "": "",
	} {
		if got := decisionOf(told); got != want {
			t.Errorf("decisionOf(%q) = %q; want %q", told, got, want)
		}
	}
	for told, want := range map[string]string{
		"Config": "config", "user": "user", "AutomatedReviewer": "automated_reviewer", "automated_reviewer": "automated_reviewer", "Robot": "Robot", "": "",
	} {
		if got := deciderOf(told); got != want {
			t.Errorf("deciderOf(%q) = %q; want %q", told, got, want)
		}
	}
}

// What has the name of an event and is none passes on as it is.
func TestLogsMalformedEvents(t *testing.T) {
	h, recorded := newTest(t, Config{})
	observed := strconv.FormatInt(testNow.UnixNano(), 10)
	for _, attrs := range []map[string]any{
		{"event.name": "codex.user_prompt", "conversation.id": "c1", "prompt": "no length"},
		{"event.name": "codex.user_prompt", "prompt": "no conversation", "prompt_length": "15"},
		{"event.name": "codex.user_prompt", "conversation.id": "c1", "prompt": "x", "prompt_length": "-1"},
		{"event.name": "codex.tool_result", "conversation.id": "c1", "tool_name": "t", "success": "perhaps"},
		{"event.name": "codex.api_request", "endpoint": "/models", "success": true},
	} {
		export(t, h, []nativeRecord{{Observed: observed, Attrs: attrs}})
	}
	for _, r := range recorded.all() {
		if _, ok := r.Event.(*events.Foreign); !ok {
			t.Errorf("recorded %+v; want it as it is", r.Event)
		}
	}
	if got := h.LogStats(); got.Foreign != 5 || got.Catalogue != 0 {
		t.Errorf("LogStats() = %+v; want 5 as they are", got)
	}
}

func TestLogsTimes(t *testing.T) {
	day := 24 * time.Hour
	nano := func(d time.Duration) string { return strconv.FormatInt(testNow.Add(d).UnixNano(), 10) }
	for _, test := range []struct {
		name   string
		record nativeRecord
		want   time.Duration
	}{
		{"attribute", nativeRecord{Time: nano(-time.Minute), Observed: nano(-time.Second), Attrs: map[string]any{"event.timestamp": testNow.Add(-time.Hour).Format(time.RFC3339)}}, -time.Hour},
		{"broken attribute", nativeRecord{Time: nano(-time.Minute), Attrs: map[string]any{"event.timestamp": "yesterday"}}, -time.Minute},
		{"time", nativeRecord{Time: nano(-time.Minute), Observed: nano(-time.Second)}, -time.Minute},
		{"observed", nativeRecord{Observed: nano(-time.Second)}, -time.Second},
		{"none", nativeRecord{}, 0},
		{"too old", nativeRecord{Time: nano(-31 * day), Observed: nano(-time.Second)}, 0},
		{"too far ahead", nativeRecord{Time: nano(2 * day), Attrs: map[string]any{"event.timestamp": testNow.Add(2 * day).Format(time.RFC3339)}}, 0},
		{"beyond int64", nativeRecord{Observed: "18446744073709551615"}, 0},
	} {
		h, recorded := newTest(t, Config{})
		export(t, h, []nativeRecord{test.record})
		if got := recorded.all()[0].Time; !got.Equal(testNow.Add(test.want)) {
			t.Errorf("%s: at %s; want %s", test.name, got, testNow.Add(test.want))
		}
	}
}

// A record that cannot be of that time is told now, and is the same when it is
// sent again.
func TestLogsImplausibleTimes(t *testing.T) {
	kept := new(memory)
	merger := NewMerger(MergerConfig{Next: kept})
	now := testNow
	h, _ := newTest(t, Config{Recorder: merger, LogsRecorder: merger.Logs(), Now: func() time.Time { return now }})
	for range 2 {
		export(t, h, []nativeRecord{{Observed: "7", Attrs: map[string]any{
			"event.name": "codex.user_prompt", "conversation.id": "c1", "prompt": "x", "prompt_length": "1",
		}}})
		now = now.Add(time.Hour)
	}
	if got := kept.all(); len(got) != 1 || !got[0].Time.Equal(testNow) {
		t.Errorf("recorded %+v; want one, when it came first", got)
	}
}

func TestLogsRedaction(t *testing.T) {
	records := exportedBy(t)["0.169.0"]
	recorded := new(memory)
	h, _ := newTest(t, Config{Recorder: redact.New(redact.Config{Next: recorded, Prompts: redact.Policy{Mode: redact.ModeRedacted}}), Now: at(t, records)})
	malformed := nativeRecord{Observed: records[0].Observed, Attrs: map[string]any{"event.name": "codex.user_prompt", "prompt": "say hello to the wörld 👋"}}
	export(t, h, append(records, malformed))
	for _, r := range recorded.all() {
		for key, value := range attributes(r) {
			if text, ok := value.(string); ok && strings.Contains(text, "wörld") {
				t.Errorf("%s of %s is told; want it redacted", key, r.Event.EventName())
			}
		}
	}
}

// Two equal records of one request are two, and a retry repeats both.
func TestLogsEqualRecords(t *testing.T) {
	kept := new(memory)
	merger := NewMerger(MergerConfig{Next: kept})
	h, _ := newTest(t, Config{Recorder: merger, LogsRecorder: merger.Logs()})
	record := nativeRecord{EventName: "tick", Observed: strconv.FormatInt(testNow.UnixNano(), 10)}
	timeless := nativeRecord{EventName: "tick"}
	for range 2 {
		export(t, h, []nativeRecord{record, record, timeless})
	}
	if got := len(kept.all()); got != 4 {
		t.Errorf("%d records; want the two with a time once, the one without twice", got)
	}
}
