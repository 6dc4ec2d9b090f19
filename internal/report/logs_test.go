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
