package report

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
)

// exportedBy returns what releases of Codex exported, by release.
func exportedBy(tb testing.TB) map[string][]nativeRecord {
	tb.Helper()
	paths, err := filepath.Glob("testdata/exported/*.json")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no records: %v", err)
	}
	releases := make(map[string][]nativeRecord)
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		var records []nativeRecord
		decodeJSON(tb, raw, &records)
		releases[strings.TrimSuffix(filepath.Base(path), ".json")] = records
	}
	return releases
}

// at is a clock near what the records say.
func at(tb testing.TB, records []nativeRecord) func() time.Time {
	tb.Helper()
	n, err := strconv.ParseInt(records[len(records)-1].Observed, 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return func() time.Time { return time.Unix(0, n).Add(time.Second) }
}

// asExported returns a record's attributes in the codex schema, ints as strings.
func asExported(record events.Record) []map[string]any {
	encoder := &events.Encoder{Schema: events.SchemaCodex}
	var told []map[string]any
	encoder.Expand(record, func(r events.Record) {
		attrs := make(map[string]any)
		for _, kv := range encoder.Attributes(nil, r) {
			attrs[string(kv.Key)] = kv.Value.AsInterface()
			if n, ok := attrs[string(kv.Key)].(int64); ok {
				attrs[string(kv.Key)] = strconv.FormatInt(n, 10)
			}
		}
		told = append(told, attrs)
	})
	return told
}

// Everything that a real Codex exports, of a conversation that the proxy does not
// see, is told again in the codex schema as it was, whichever encoding it came in.
func TestLogsOfRealReleases(t *testing.T) {
	for release, records := range exportedBy(t) {
		for _, way := range []struct {
			encoding string
			gzip     bool
		}{{"application/x-protobuf", false}, {"application/x-protobuf", true}, {"application/json", false}, {"application/json; charset=utf-8", true}} {
			t.Run(fmt.Sprintf("%s %s gzip %t", release, way.encoding, way.gzip), func(t *testing.T) {
				h, recorded := newTest(t, Config{Now: at(t, records)})
				request := exportRequest(t, records)
				body, err := request.MarshalProto()
				if strings.HasPrefix(way.encoding, "application/json") {
					body, err = request.MarshalJSON()
				}
				if err != nil {
					t.Fatal(err)
				}
				headers := []string{"Content-Type", way.encoding}
				if way.gzip {
					body, headers = []byte(gzipped(t, string(body))), append(headers, "Content-Encoding", "gzip")
				}
				got := postLogs(t, h, body, headers...)
				if got.status != http.StatusOK || strings.TrimSpace(string(got.body)) != map[bool]string{true: "{}"}[strings.HasPrefix(way.encoding, "application/json")] {
					t.Fatalf("POST = %d %q; want 200 and nothing rejected", got.status, got.body)
				}
				told := recorded.all()
				if len(told) != len(records) {
					t.Fatalf("%d records; want %d", len(told), len(records))
				}
				for i := range records {
					checkExported(t, &records[i], told[i])
				}
			})
		}
	}
}

func checkExported(t *testing.T, n *nativeRecord, told events.Record) {
	t.Helper()
	if told.Source != events.SourceAgent {
		t.Errorf("source = %s; want agent", told.Source)
	}
	if want, err := time.Parse(time.RFC3339, n.text("event.timestamp")); err != nil || !told.Time.Equal(want) {
		t.Errorf("%s at %s; want %s", n.text("event.name"), told.Time, want)
	}
	all := asExported(told)
	if len(all) != 1 {
		t.Fatalf("%s makes %d records; want 1", n.text("event.name"), len(all))
	}
	got := all[0]
	want := map[string]any{"telemetry.source": "agent", "event.id": told.ID}
	maps.Copy(want, n.Attrs)
	_, isForeign := told.Event.(*events.Foreign)
	if name := n.Resource["host.name"]; name != "" && !isForeign {
		want["host.name"] = name
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-exported +told):\n%s", n.text("event.name"), diff)
	}
	if foreign := !catalogueHas(n.text("event.name")); foreign != isForeign {
		t.Errorf("%s is foreign: %t; want %t", n.text("event.name"), isForeign, foreign)
	}
	if foreign, ok := told.Event.(*events.Foreign); ok {
		checkForeign(t, n, foreign)
	}
}

func catalogueHas(name string) bool {
	return slices.Contains(events.Names(), name)
}

func checkForeign(t *testing.T, n *nativeRecord, f *events.Foreign) {
	t.Helper()
	if f.RecordName != n.EventName || f.SeverityText != n.Severity || f.SeverityNumber != 9 || f.Origin.ScopeName != n.Scope ||
		f.TimeUnixNano != 0 || strconv.FormatUint(f.ObservedUnixNano, 10) != n.Observed || f.Body.Kind != events.ValueEmpty {
		t.Errorf("foreign = %+v; want it as it was exported: %+v", f, n)
	}
	resource := make(map[string]string)
	for _, p := range f.Origin.Resource {
		resource[p.Key] = p.Value.Text
	}
	if diff := cmp.Diff(n.Resource, resource); diff != "" {
		t.Errorf("resource (-exported +told):\n%s", diff)
	}
}

// What the proxy sees of a conversation it has told; the rest still passes.
func TestLogsOfSeenConversations(t *testing.T) {
	for release, records := range exportedBy(t) {
		seen := known{}
		traffic, others := 0, 0
		for i := range records {
			id := records[i].text("conversation.id")
			seen[id] = &events.Scope{ConversationID: id, Resource: &events.Resource{ServiceName: "codex-cli"}}
			if name := records[i].text("event.name"); strings.HasPrefix(name, "codex.websocket_") || name == "codex.sse_event" || name == "codex.api_request" {
				traffic++
			} else {
				others++
			}
		}
		h, recorded := newTest(t, Config{Now: at(t, records), Scopes: seen})
		export(t, h, records)
		if got := len(recorded.all()); got != others {
			t.Errorf("%s: %d records; want %d", release, got, others)
		}
		stats := h.LogStats()
		if stats.Traffic != int64(traffic) || stats.Catalogue+stats.Foreign != int64(others) {
			t.Errorf("%s: LogStats() = %+v; want %d of the traffic, %d others", release, stats, traffic, others)
		}
	}
}

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

// The typed schema tells a reported event like any other: ints and documented
// spellings.
func TestLogsTypedSchema(t *testing.T) {
	records := exportedBy(t)["0.45.0"]
	h, recorded := newTest(t, Config{Now: at(t, records)})
	export(t, h, records)
	for _, record := range recorded.all() {
		got := attributes(record)
		switch record.Event.(type) {
		case *events.ToolDecision:
			if got["source"] != "config" || got["decision"] != "approved" {
				t.Errorf("decision = %v by %v; want approved by config", got["decision"], got["source"])
			}
		case *events.ToolResult, *events.APIRequest:
			if _, ok := got["duration_ms"].(int64); !ok {
				t.Errorf("%s: duration_ms is a %T; want an int", record.Event.EventName(), got["duration_ms"])
			}
		case *events.UserPrompt:
			if got["prompt_length"] != int64(24) {
				t.Errorf("prompt_length = %v; want 24", got["prompt_length"])
			}
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
	h, _ := newTest(t, Config{Recorder: events.Redact{Next: recorded}, Now: at(t, records)})
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
