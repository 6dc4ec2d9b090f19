package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
)

// realRun is a run of a real Codex: what it sent, what it got back, and what it
// exported itself. Each request has only the items that the one before had not.
type realRun struct {
	Codex    string
	Requests []struct {
		Headers map[string]string
		Keep    int // items that the request before had, too
		Body    map[string]any
		Output  []json.RawMessage
	}
	Native []map[string]any
}

func readRealRun(t *testing.T, path string) *realRun {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := new(realRun)
	decodeJSON(t, raw, r)
	return r
}

// exported returns what Codex exported of the run.
func (r *realRun) exported(at time.Time) []nativeRecord {
	var records []nativeRecord
	for i, attrs := range r.Native {
		told := map[string]any{"event.timestamp": at.Add(time.Duration(i) * time.Millisecond).UTC().Format(events.TimestampFormat)}
		maps.Copy(told, attrs)
		records = append(records, nativeRecord{
			Scope: "codex_otel.log_only", Observed: strconv.FormatInt(at.UnixNano()+int64(i), 10), Severity: "INFO", Attrs: told,
			Types: map[string]string{"context_window": "intValue", "max_output_tokens": "intValue", "auto_compact_token_limit": "intValue"},
		})
	}
	return records
}

// shown returns what the traffic shows of the run, request by request.
func (r *realRun) shown(t *testing.T, tracker *session.Tracker, at time.Time) [][]events.Record {
	t.Helper()
	var shown [][]events.Record
	var history []any
	for i, request := range r.Requests {
		input, _ := request.Body["input"].([]any)
		history = append(history[:request.Keep:request.Keep], input...)
		request.Body["input"] = history
		body, err := json.Marshal(request.Body)
		if err != nil {
			t.Fatal(err)
		}
		inspector := responses.NewInspector(responses.InspectorConfig{Items: true, InFlight: tracker.InFlight})
		inspector.Write(body)
		arrival := &session.Arrival{
			Header: func(name string) string {
				for key, value := range request.Headers {
					if strings.EqualFold(key, name) {
						return value
					}
				}
				return ""
			},
			Endpoint: responses.EndpointOf("POST", "/responses"), Request: inspector.Request(),
			Resource: events.Resource{ServiceName: "codex-cli"}, ExchangeID: "exchange-" + strconv.Itoa(i), Auth: 1, At: at,
		}
		if inspector.Done() {
			arrival.Input = inspector.Input()
		}
		exchange := tracker.Begin(arrival)
		shown = append(shown, exchange.Records())
		for _, raw := range request.Output {
			item := responses.ParseItem(raw)
			exchange.Item(&item, at)
		}
	}
	return shown
}

// order is a way in which the traffic and the report of a run may arrive.
type order struct {
	name    string
	arrange func(m *Merger, h func(), shown [][]events.Record)
	late    bool // one of them comes when the other was passed on
}

func orders() []order {
	show := func(m *Merger, shown [][]events.Record) {
		for _, r := range slices.Concat(shown...) {
			m.Record(r)
		}
	}
	return []order{
		{"traffic first", func(m *Merger, export func(), shown [][]events.Record) { show(m, shown); export() }, false},
		{"report first", func(m *Merger, export func(), shown [][]events.Record) { export(); show(m, shown) }, false},
		{"report in between", func(m *Merger, export func(), shown [][]events.Record) {
			show(m, shown[:1])
			export()
			show(m, shown[1:])
		}, false},
		{"report a second later", func(m *Merger, export func(), shown [][]events.Record) { show(m, shown); wait(time.Second); export() }, false},
		{"report too late", func(m *Merger, export func(), shown [][]events.Record) {
			show(m, shown)
			wait(3 * time.Second)
			export()
		}, true},
		{"traffic too late", func(m *Merger, export func(), shown [][]events.Record) { export(); wait(time.Hour); show(m, shown) }, true},
		{"all sent again", func(m *Merger, export func(), shown [][]events.Record) {
			export()
			show(m, shown)
			export()
			wait(3 * time.Second)
			export()
			show(m, shown)
		}, false},
	}
}

// wait lets the time of a bubble pass.
func wait(d time.Duration) { <-time.After(d) }

// What a real Codex sent and what it exported of the same run make one record a
// fact, in whatever order they arrive; and what the agent exported is told as it
// told it.
func TestReplay(t *testing.T) {
	paths, err := filepath.Glob("../session/testdata/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no runs: %v", err)
	}
	for _, path := range paths {
		wires := -1
		for _, order := range orders() {
			t.Run(filepath.Base(path)+" "+order.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					run := readRealRun(t, path)
					if len(run.Native) == 0 {
						t.Skip("nothing was exported")
					}
					kept := new(memory)
					merger := NewMerger(MergerConfig{Next: kept, Grace: 2 * time.Second})
					defer merger.Close()
					tracker := session.New(session.Config{})
					h := New(Config{Recorder: merger, LogsRecorder: merger.Logs(), Scopes: tracker})
					start := time.Now()
					shown := run.shown(t, tracker, start)
					order.arrange(merger, func() { export(t, h, run.exported(start)) }, shown)
					merger.Close()
					sources := countSources(kept.all())
					if wires < 0 {
						wires = sources[events.SourceWire]
					}
					if got := sources[events.SourceAgent] + sources[events.SourceBoth]; !order.late && got != len(run.Native) {
						t.Errorf("%d records of what the agent told; want %d: %s", got, len(run.Native), names(kept.all()))
					}
					if want := len(run.Native) + wires; len(kept.all()) != want {
						t.Errorf("%d records; want %d, each fact once: %s", len(kept.all()), want, names(kept.all()))
					}
					if both := sources[events.SourceBoth]; order.late && both > 0 {
						t.Errorf("%d records were merged; want none", both)
					}
					if !order.late {
						run.check(t, kept.all())
					}
				})
			})
		}
	}
}

func countSources(records []events.Record) map[events.Source]int {
	counts := make(map[events.Source]int)
	for _, r := range records {
		counts[r.Source]++
	}
	return counts
}

func names(records []events.Record) string {
	var b strings.Builder
	for _, r := range records {
		fmt.Fprintf(&b, "\n%s %s %s", r.Event.EventName(), r.Source, r.Event.Summary())
	}
	return b.String()
}

// check finds each exported record among those told, in the codex schema.
func (r *realRun) check(t *testing.T, records []events.Record) {
	t.Helper()
	var told []map[string]any
	for _, record := range records {
		// The traffic does not show that an MCP tool failed, and not always whose it is.
		if differ := record.Disagreement(); differ != "" && differ != "success" && differ != "mcp_server, mcp_server_origin" {
			t.Errorf("%s: disagreement on %s", record.Event.Summary(), differ)
		}
		if record.Source == events.SourceWire {
			continue
		}
		told = append(told, asExported(record)...)
	}
	for _, native := range r.Native {
		best, differ := -1, []string(nil)
		for i, attrs := range told {
			if d := differences(native, attrs); best < 0 || len(d) < len(differ) {
				best, differ = i, d
			}
		}
		if len(differ) > 0 {
			t.Errorf("%s %s: %s differ", native["event.name"], native["call_id"], differ)
		}
		if best >= 0 {
			told = slices.Delete(told, best, best+1)
		}
	}
}

func differences(native, told map[string]any) []string {
	var list []string
	for key, want := range native {
		if told[key] != want {
			list = append(list, fmt.Sprintf("%s = %.80q; want %.80q", key, fmt.Sprint(told[key]), fmt.Sprint(want)))
		}
	}
	slices.Sort(list)
	return list
}
